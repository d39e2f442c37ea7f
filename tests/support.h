/* What test files share: where the built programs and the sources are. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

/* The build directory and the source tree of this run: `make test` says where (LG_BUILD_DIR, LG_SOURCE_DIR); a test
 * program that is started by hand remembers where it was built. */
const char *test_build_dir(void);
const char *test_source_dir(void);

#endif
