#include <string.h>
#include "runtime.h"
#include "validate-vm.h"
#include "wire/check.h"
#include "wire/validate.h"

#define LABEL_MAX 128
#define BLOB_MAX (1u << 20)
#define USES_MAX 4096

static bool is_label(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > LABEL_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static const char *validate_hook(const char *hook)
{
	return check_name(hook, HOOK_NAME_MAX, ".-") ? NULL : "hook: not 1..64 of [A-Za-z0-9_.-]";
}

static const char *validate_install(const Skein__V1__InstallProgramRequest *install)
{
	const char *problem = validate_hook(install->hook);

	if (problem)
		return problem;
	switch (install->kind) {
	case SKEIN__V1__HOOK_KIND__HOOK_KIND_XDP:
	case SKEIN__V1__HOOK_KIND__HOOK_KIND_MEMORY:
		break;
	default:
		return "kind: missing or unknown";
	}
	if (install->code == 0)
		return "code: missing";
	if (!is_label(install->label))
		return "label: not 1..128 of printable ASCII";
	if (install->blob.len > BLOB_MAX)
		return "blob: more than 1 MiB";
	if (install->n_uses > USES_MAX)
		return "uses: more than 4096";
	return NULL;
}

const char *validate_request(const Skein__V1__HelperRequest *request)
{
	switch (request->op_case) {
	case SKEIN__V1__HELPER_REQUEST__OP_INSTALL_PROGRAM:
		return validate_install(request->install_program);
	case SKEIN__V1__HELPER_REQUEST__OP_REMOVE_PROGRAM:
		return validate_hook(request->remove_program->hook);
	default:
		return validate_vm(request);
	}
}
