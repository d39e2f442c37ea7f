/* Errors of a thread, and the version. Depends on nothing. */
#include "tensor/base.h"

#include <stdarg.h>

const char lg_abi_check = LG_REAL_BITS;

#define MESSAGE_BYTES 1024

static _Thread_local struct {
    lg_status status;
    char message[MESSAGE_BYTES];
} pending;

static lg_status set_error(lg_status status, const char *format, va_list arguments)
{
    /* The arguments may point into the pending message (a caller that wraps it), so format aside first. */
    char message[MESSAGE_BYTES];
    vsnprintf(message, sizeof message, format, arguments);
    snprintf(pending.message, sizeof pending.message, "%s", message);
    pending.status = status;
    return status;
}

lg_status lg_fail(lg_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_error(status, format, arguments);
    va_end(arguments);
    return status;
}

lg_status lg_fail_null(const char *format, ...)
{
    if (pending.status == LG_OK) {
        va_list arguments;
        va_start(arguments, format);
        set_error(LG_E_PARAM, format, arguments);
        va_end(arguments);
    }
    return pending.status;
}

const char *lg_error(void)
{
    return pending.message;
}

lg_status lg_error_code(void)
{
    return pending.status;
}

void lg_error_clear(void)
{
    pending.status = LG_OK;
    pending.message[0] = '\0';
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *lg_version(void)
{
    return TEXT(LG_VERSION_MAJOR) "." TEXT(LG_VERSION_MINOR) "." TEXT(LG_VERSION_PATCH);
}
