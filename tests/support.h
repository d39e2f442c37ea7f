/* What test files share: where the built programs and the sources are. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <stddef.h>

/* The build directory and the source tree of this run: `make test` says where (LG_BUILD_DIR, LG_SOURCE_DIR); a test
 * program that is started by hand remembers where it was built. */
const char *test_build_dir(void);
const char *test_source_dir(void);

/* How much of a long enumeration a test tries: 1 for all; under valgrind, which looks for other errors and takes a
 * hundred times as long, every n-th (`make check-valgrind` says so by LG_TEST_LIGHT). */
size_t test_stride(size_t n);

#endif
