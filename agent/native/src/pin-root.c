#include "pin-root.h"

#include <string.h>
#include "wire/check.h"

static const char *root;

const char *pin_root(void)
{
	return root;
}

int pin_root_set(char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	if (!check_absolute(path) || length == 1)
		return -1;
	root = path;
	return 0;
}
