#include "check.h"

#include <limits.h>
#include <string.h>

#define PIN_COMPONENTS_MAX 8
#define PIN_COMPONENT_LENGTH_MAX 64
#define DEVICE_NAME_SIZE 16 /* IFNAMSIZ */

/* isalnum() would ask the locale. */
static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

bool check_name(const char *text, size_t max, const char *extra)
{
	size_t length = strlen(text);

	if (length == 0 || length > max)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_word(text[i]) && !strchr(extra, text[i]))
			return false;
	return true;
}

bool check_device(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length >= DEVICE_NAME_SIZE || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '/' || text[i] == ':')
			return false;
	return true;
}

bool check_absolute(const char *text)
{
	return text[0] == '/' && strlen(text) < PATH_MAX;
}

bool check_pin_path(const char *text)
{
	size_t components = 1, length = 0;

	for (; *text; text++) {
		if (*text == '/') {
			if (length == 0 || ++components > PIN_COMPONENTS_MAX)
				return false;
			length = 0;
		} else if ((!is_word(*text) && *text != '-') ||
			   ++length > PIN_COMPONENT_LENGTH_MAX) {
			return false;
		}
	}
	return length > 0;
}
