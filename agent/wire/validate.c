#include "validate.h"

#include <stddef.h>
#include "check.h"

#define VARIABLES_MAX 4096
#define SET_VALUES_MAX 65536

static const char *validate_variables(size_t count, Skein__V1__Variable *const *variables)
{
	if (count == 0 || count > VARIABLES_MAX)
		return "variables: not 1..4096 of them";
	for (size_t i = 0; i < count; i++) {
		if (variables[i]->map == 0)
			return "variables.map: missing";
		if (variables[i]->offset % 4 != 0)
			return "variables.offset: not a multiple of 4";
	}
	return NULL;
}

static const char *validate_make_set(const Skein__V1__MakeSetRequest *set)
{
	if (!check_name(set->name, OBJECT_NAME_MAX, ""))
		return "name: not 1..15 of [A-Za-z0-9_]";
	if (set->n_values > SET_VALUES_MAX)
		return "values: more than 65536";
	return NULL;
}

const char *validate_handle(uint32_t handle, const char *problem)
{
	return handle ? NULL : problem;
}

const char *validate_shared(const Skein__V1__HelperRequest *request)
{
	switch (request->op_case) {
	case SKEIN__V1__HELPER_REQUEST__OP_CLOSE:
		return validate_handle(request->close->handle, "handle: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_MAKE_SET:
		return validate_make_set(request->make_set);
	case SKEIN__V1__HELPER_REQUEST__OP_WRITE_VARIABLES:
		return validate_variables(request->write_variables->n_variables,
					  request->write_variables->variables);
	case SKEIN__V1__HELPER_REQUEST__OP_READ_VARIABLES:
		return validate_variables(request->read_variables->n_variables,
					  request->read_variables->variables);
	default:
		return NULL;
	}
}
