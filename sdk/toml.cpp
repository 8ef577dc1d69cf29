#include "sdk/toml.h"

/*
 * toml++ 3.3 asserts what a text may well violate ("[=]" does), which would end the process of a
 * person who mistyped; such an assertion is an error like any other here. No exception leaves this
 * file.
 */
#undef NDEBUG
namespace
{
struct Unexpected {
};

[[noreturn]] void unexpected()
{
	throw Unexpected();
}
} // namespace
#define TOML_ASSERT(expr)	   ((expr) ? static_cast<void>(0) : unexpected())
#define TOML_EXCEPTIONS		   1
#define TOML_ENABLE_FORMATTERS	   0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace
{

struct Item {
	toml_type type;
	std::string section, key, text;
	int index;
	int line, column;
};

Item make(toml_type type, const std::string &section, int index, const toml::node &at)
{
	return {type,
		section,
		{},
		{},
		index,
		static_cast<int>(at.source().begin.line),
		static_cast<int>(at.source().begin.column)};
}

std::string number(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%g", value);
	return text;
}

toml_type flatten_array(const toml::array &array, std::string &text)
{
	for (const toml::node &element : array) {
		const auto *integer = element.as_integer();

		if (integer == nullptr) {
			text = "an array";
			return TOML_OTHER;
		}
		if (!text.empty())
			text += ", ";
		text += std::to_string(integer->get());
	}
	return TOML_INTEGERS;
}

toml_type flatten_value(const toml::node &node, std::string &text)
{
	if (const auto *string = node.as_string()) {
		text = string->get();
		return TOML_STRING;
	}
	if (const auto *integer = node.as_integer()) {
		text = std::to_string(integer->get());
		return TOML_INTEGER;
	}
	if (const auto *boolean = node.as_boolean()) {
		text = boolean->get() ? "true" : "false";
		return TOML_BOOLEAN;
	}
	if (const auto *array = node.as_array())
		return flatten_array(*array, text);
	if (const auto *floating = node.as_floating_point())
		text = number(floating->get());
	else
		text = node.is_table() ? "a table" : "a date or time";
	return TOML_OTHER;
}

void flatten_key(std::vector<Item> &out, const std::string &section, int index,
		 std::string_view key, const toml::node &node)
{
	Item item = make(TOML_OTHER, section, index, node);

	item.key = key;
	item.type = flatten_value(node, item.text);
	out.push_back(std::move(item));
}

void flatten_table(std::vector<Item> &out, const std::string &section, int index,
		   const toml::table &table)
{
	out.push_back(make(TOML_SECTION, section, index, table));
	for (const auto &[key, node] : table)
		flatten_key(out, section, index, key.str(), node);
}

bool is_table_array(const toml::node &node)
{
	const toml::array *array = node.as_array();

	return array != nullptr && !array->empty() && array->is_homogeneous<toml::table>();
}

std::vector<Item> flatten(const toml::table &root)
{
	std::vector<Item> out;

	for (const auto &[name, node] : root) {
		const std::string section(name.str());

		if (const toml::table *table = node.as_table()) {
			flatten_table(out, section, -1, *table);
		} else if (is_table_array(node)) {
			int index = 0;

			for (const toml::node &element : *node.as_array())
				flatten_table(out, section, index++, *element.as_table());
		} else {
			flatten_key(out, "", -1, section, node);
		}
	}
	/* toml++ sorts by name; a person reads from the top. Sections stay before their keys. */
	std::stable_sort(out.begin(), out.end(), [](const Item &a, const Item &b) {
		return std::tie(a.line, a.column) < std::tie(b.line, b.column);
	});
	return out;
}

bool is_unexpected(std::string_view text)
{
	try {
		(void)toml::parse(text);
	} catch (const Unexpected &) {
		return true;
	} catch (const toml::parse_error &) {
	}
	return false;
}

/* An assertion does not say where: it is the first line up to which the text has it, too. */
int line_of_unexpected(std::string_view text)
{
	std::vector<std::size_t> ends;
	std::size_t low = 0, high;

	for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
		ends.push_back(at);
	for (high = ends.size(); low < high;) {
		const std::size_t middle = (low + high) / 2;

		if (is_unexpected(text.substr(0, ends[middle])))
			high = middle;
		else
			low = middle + 1;
	}
	return static_cast<int>(low) + 1;
}

} // namespace

extern "C" int toml_read(const char *text, size_t len,
			 int (*fn)(const struct toml_item *item, void *arg), void *arg, int *line,
			 int *column, char *why, size_t why_len)
try {
	for (const Item &item : flatten(toml::parse(std::string_view(text, len)))) {
		const toml_item flat = {
			item.type,	   item.section.c_str(),
			item.index,	   item.type == TOML_SECTION ? nullptr : item.key.c_str(),
			item.text.c_str(), item.line,
			item.column,
		};
		const int rc = fn(&flat, arg);

		if (rc != 0)
			return rc;
	}
	return 0;
} catch (const toml::parse_error &error) {
	*line = static_cast<int>(error.source().begin.line);
	*column = static_cast<int>(error.source().begin.column);
	snprintf(why, why_len, "%.*s", static_cast<int>(error.description().size()),
		 error.description().data());
	return -1;
} catch (const Unexpected &) {
	*line = line_of_unexpected(std::string_view(text, len));
	*column = 1;
	snprintf(why, why_len, "a character that cannot be there");
	return -1;
} catch (const std::bad_alloc &) {
	snprintf(why, why_len, "out of memory");
	return -1;
}
