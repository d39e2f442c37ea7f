/* What every other header of luge stands on: the real type, status codes, the error message, visibility. */
#ifndef LG_BASE_H
#define LG_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LG_VERSION_MAJOR 0
#define LG_VERSION_MINOR 1
#define LG_VERSION_PATCH 0

#ifdef __cplusplus
#define LG_BEGIN_DECLS extern "C" {
#define LG_END_DECLS }
#else
#define LG_BEGIN_DECLS
#define LG_END_DECLS
#endif

#if defined(__GNUC__)
#define LG_API __attribute__((visibility("default")))
#define LG_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#else
#define LG_API
#define LG_PRINTF(format_index, first_argument)
#endif

LG_BEGIN_DECLS

/* The real number of this build: float, or double when LG_DOUBLE is defined (luge-double.pc defines it). */
#ifdef LG_DOUBLE
typedef double lg_real;
#define LG_REAL_BITS 64
#define lg_abi_check lg_abi_double
#else
typedef float lg_real;
#define LG_REAL_BITS 32
#define lg_abi_check lg_abi_float
#endif

/* A program compiled for one real type and linked with the library of the other fails at link time on this name. */
LG_API extern const char lg_abi_check;
#if defined(__GNUC__) && !defined(LG_BUILDING)
__attribute__((used)) static const char *const lg_abi_reference = &lg_abi_check;
#endif

/* Status of a call: LG_OK or a negative code. A function that returns a pointer returns NULL instead. */
typedef enum lg_status {
    LG_OK = 0,
    LG_E_SHAPE = -1,       /* shapes that do not fit, overflow, or exceed what BLAS can index */
    LG_E_DTYPE = -2,       /* real where int32 is wanted, or the reverse */
    LG_E_PARAM = -3,       /* an argument or hyper-parameter outside its range; NULL where something is needed */
    LG_E_DOMAIN = -4,      /* a value of data outside its domain: a probability of 1.2, a negative weight */
    LG_E_INDEX = -5,       /* a class or row index out of range */
    LG_E_STATE = -6,       /* a call at the wrong time: backward twice, a tensor of a tape that was reset */
    LG_E_MEMORY = -7,      /* out of memory */
    LG_E_IO = -8,          /* the operating system refused a file: missing, unreadable, disk full */
    LG_E_FORMAT = -9,      /* a file whose content is not what it should be */
    LG_E_NAN = -10,        /* training met a loss that is not a number */
    LG_E_INTERRUPTED = -11 /* stopped by a signal, or by a callback of the caller's */
} lg_status;

/* The message of this thread's last failure: one sentence that names the call, the shapes or the file and line, and
 * what would have been right; "" when nothing has failed. Valid until this thread's next failure or lg_error_clear. */
LG_API const char *lg_error(void);

/* The status code that belongs to lg_error(); LG_OK when nothing has failed. */
LG_API lg_status lg_error_code(void);

/* Forgets this thread's pending failure. */
LG_API void lg_error_clear(void);

/* Sets this thread's message (printf style, at most 1023 bytes; longer is cut) and returns `status`. For ops, losses
 * and step functions of one's own. A real failure overwrites what was pending. */
LG_API lg_status lg_fail(lg_status status, const char *format, ...) LG_PRINTF(2, 3);

/* For a call that merely received NULL or a failed input: writes only if nothing is pending, so that the message of
 * what failed first survives; returns the pending status, or LG_E_PARAM. */
LG_API lg_status lg_fail_null(const char *format, ...) LG_PRINTF(1, 2);

/* "0.1.0", of the library that is linked (the macros above are of the header). */
LG_API const char *lg_version(void);

LG_END_DECLS

#endif
