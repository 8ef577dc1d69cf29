#include "mem/counters.h"

#define NAME(name, text) #name,
#define TEXT(name, text) text,

const char *const drop_name[DROP_COUNT] = {DROP_LIST(NAME)};
const char *const drop_text[DROP_COUNT] = {DROP_LIST(TEXT)};
