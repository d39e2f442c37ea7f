#include "tensor/base.h"

#include <check.h>

START_TEST(version_is_that_of_the_header)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", LG_VERSION_MAJOR, LG_VERSION_MINOR, LG_VERSION_PATCH);
    ck_assert_str_eq(lg_version(), expected);
}
END_TEST

Suite *base_suite(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("version");
    tcase_add_test(tcase, version_is_that_of_the_header);
    suite_add_tcase(suite, tcase);
    return suite;
}
