/* Runs every suite of tests/test_*.c in one program, so that Check prints one summary. Check's own environment picks:
 * CK_RUN_SUITE=base, CK_RUN_CASE=..., CK_VERBOSITY=verbose. The Makefile writes suites.h: one SUITE(name) per file.
 *
 * `run --loss-values FILE` and `run --loss-accuracy FILE` are the two halves of `make accuracy-losses` (loss_values.h). */
#include "loss_values.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites.h"
#undef SUITE

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "--loss-values") == 0)
        return write_loss_values(arguments[2]);
    if (count == 3 && strcmp(arguments[1], "--loss-accuracy") == 0)
        return print_loss_accuracy(arguments[2]);
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
