#!/bin/sh
# headers.sh CC CXX INCLUDE: every public header compiles alone, twice, and before and after every other, as
# strict C99 and as C++17, without a warning.
cc=$1 cxx=$2 include=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
names='cc types libos sga wait shard ext sim'

n=0
for a in $names; do
	for b in $names; do
		n=$((n + 1))
		printf '#include <demi/%s.h>\n#include <demi/%s.h>\nint unused_%s_%s;\n' $a $b $a $b >"$dir/$n.c"
		cp "$dir/$n.c" "$dir/$n.cpp"
	done
	n=$((n + 1))
	printf '#include <demi/%s.h>\nint unused_%s;\n' $a $a >"$dir/$n.c"
	cp "$dir/$n.c" "$dir/$n.cpp"
done

flags="-fsyntax-only -I$include -Wall -Wextra -Wpedantic -Werror"
$cc -std=c99 -D_POSIX_C_SOURCE=199309L $flags "$dir"/*.c || exit 1
$cc -std=c99 $flags "$dir"/*.c || exit 1
$cc -std=gnu11 $flags "$dir"/*.c || exit 1
$cxx -std=c++17 $flags "$dir"/*.cpp || exit 1
echo "$n combinations"
