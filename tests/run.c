/* Runs every suite of tests/test_*.c in one program, so that Check prints one summary. Check's own environment picks:
 * CK_RUN_SUITE=base, CK_RUN_CASE=..., CK_VERBOSITY=verbose. The Makefile writes suites.h: one SUITE(name) per file. */
#include <check.h>
#include <stdlib.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites.h"
#undef SUITE

int main(void)
{
    SRunner *runner = srunner_create(NULL);
#define SUITE(name) srunner_add_suite(runner, name##_suite());
#include "suites.h"
#undef SUITE
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    int run = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
