#include "support.h"

#include <stdlib.h>

const char *test_build_dir(void)
{
    const char *set = getenv("LG_BUILD_DIR");
    return set ? set : TEST_BUILD_DIR;
}

size_t test_stride(size_t n)
{
    return getenv("LG_TEST_LIGHT") ? n : 1;
}

const char *test_source_dir(void)
{
    const char *set = getenv("LG_SOURCE_DIR");
    return set ? set : TEST_SOURCE_DIR;
}
