/* The matrix kernels that programs get: those for their processor where OpenBLAS would fall back to its oldest ones, and
 * what the user says where he says something. */
#include "program.h"
#include "support.h"

#include <check.h>
#include <luge.h>
#include <stdlib.h>
#include <string.h>

/* What run.json says of a short run with that before the command. */
static bool runs_with(const char *kernels, const char *before)
{
    ck_assert_int_eq(program_run("%s $bin/fraud --epochs 1 --verbose 0 --overwrite --out 'a run'", before), 0);
    char line[64];
    snprintf(line, sizeof line, "\"blas_kernels\": \"%s\"", kernels);
    return strstr(program_file("a run/run.json"), line) != NULL;
}

START_TEST(kernels_have_a_name)
{
    ck_assert_uint_gt(strlen(lg_blas_kernels()), 0); /* luge is tested with OpenBLAS */
}
END_TEST

START_TEST(a_program_does_not_keep_kernels_that_are_far_older_than_the_processor)
{
    const bool has_avx2 =
#if defined(__x86_64__) && defined(__GNUC__)
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
        false;
#endif
    ck_assert(!runs_with("", "env -u OPENBLAS_CORETYPE"));
    ck_assert_int_eq(runs_with("Prescott", "env -u OPENBLAS_CORETYPE") && has_avx2, false);
    ck_assert_ptr_nonnull(strstr(program_file("a run/run.json"), "\"--out\",\n    \"a run\"")); /* arguments are what they were */
}
END_TEST

/* OpenBLAS starts threads when it is loaded, and again when it is told a number of them. */
START_TEST(a_program_with_one_thread_has_one)
{
    ck_assert_int_eq(program_run("mkfifo lines && { $bin/bench/worker 1 < lines > answers & } && worker=$! && exec 3> lines && "
                                 "echo run b 1 >&3 && while [ ! -s answers ]; do sleep 0.01; done && "
                                 "ls /proc/$worker/task && exec 3>&- && wait $worker"), 0);
    ck_assert_uint_eq(count_lines(program_file("out")), 1);
}
END_TEST

#if defined(__x86_64__)
START_TEST(what_the_user_chooses_stays)
{
    ck_assert(runs_with("Prescott", "OPENBLAS_CORETYPE=Prescott"));
    ck_assert(runs_with("Nehalem", "OPENBLAS_CORETYPE=Nehalem"));
}
END_TEST

/* There /proc/self/exe is the loader. */
START_TEST(a_program_that_the_loader_is_told_to_run_is_not_started_anew)
{
    const int status = program_run("env -u OPENBLAS_CORETYPE $(ldd $bin/fraud | grep -o '/[^ ]*/ld-linux[^ ]*') $bin/fraud --version");
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), lg_version()));
}
END_TEST
#endif

Suite *blas_choice_suite(void);
Suite *blas_choice_suite(void)
{
    Suite *suite = suite_create("blas_choice");
    TCase *tcase = tcase_create("blas_choice");
    tcase_add_checked_fixture(tcase, program_setup, program_teardown);
    tcase_add_test(tcase, kernels_have_a_name);
    tcase_add_test(tcase, a_program_does_not_keep_kernels_that_are_far_older_than_the_processor);
    tcase_add_test(tcase, a_program_with_one_thread_has_one);
#if defined(__x86_64__)
    tcase_add_test(tcase, what_the_user_chooses_stays);
    tcase_add_test(tcase, a_program_that_the_loader_is_told_to_run_is_not_started_anew);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
