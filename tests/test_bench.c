/* The programs of bench/, run as a user runs them. */
#include "program.h"

#include <luge.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Losses after 20 steps of a workload (of f and i: after one), by PyTorch 2.13 in float32 (bench/rivals/torch_rival.py,
 * eager, fused optimizers). */
static const struct {
    const char *workload;
    int steps;
    double loss;
} losses[] = { { "a", 20, 0.6983647346 }, { "b", 20, 0.6597751975 }, { "c", 20, 0.3454796970 },  { "d", 20, 515.8526611 },
               { "e", 20, 0.8671913147 }, { "g", 20, 1.1013731956 }, { "h", 20, 0.5442673564 },  { "f1", 1, 564.0597534 },
               { "f2", 1, 140.8465118 },  { "i.mse", 1, 2.6673419 }, { "i.huber", 1, 0.9103495 } };

START_TEST(workloads_compute_what_pytorch_computes)
{
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        double loss = NAN;
        ck_assert_int_eq(program_run("$bin/bench/worker 2 %s %d", losses[i].workload, losses[i].steps), 0);
        ck_assert_int_eq(sscanf(program_file("out"), "%*s %*f us per step, loss %lf", &loss), 1);
        ck_assert_double_eq_tol(loss, losses[i].loss, 2e-5 * fmax(1, losses[i].loss));
    }
}
END_TEST

START_TEST(the_worker_answers_line_by_line)
{
    program_write("lines", "run b 3\nrun nothing 3\ngemm b 2\nbare b 0\nbare f1 0\ndrop b 0\nwhat\n");
    ck_assert_int_eq(program_run("$bin/bench/worker 1 < lines"), 0);
    size_t steps;
    double wall, processor, loss, gradient, blas, seconds, bare, unknown;
    char rest[64];
    ck_assert_int_eq(sscanf(program_file("out"), "%zu %lf %lf %lf %lf none %lf %lf %lf %lf 0 %63[^\n]", &steps, &wall,
                            &processor, &loss, &gradient, &blas, &seconds, &bare, &unknown, rest), 10);
    ck_assert_uint_eq(steps, 3);
    ck_assert(wall > 0 && processor > 0 && blas > 0 && blas < seconds);
    ck_assert(bare > 0 && unknown == 0); /* of CTC nobody knows */
    ck_assert_double_eq(gradient, 0);
    ck_assert_str_eq(rest, "error: what is \"what\"?");
}
END_TEST

START_TEST(without_python_luge_is_alone_in_the_table)
{
    ck_assert_int_eq(program_run("$bin/bench/compare --quick -m 1 -t 2 --python no-such-python --worker $bin/bench/worker "
                                 "--out . h b"), 0);
    ck_assert_str_eq(program_file("err"), "");
    ck_assert_msg(strncmp(program_file("out"), "no-such-python has no NumPy: luge is alone.", 43) == 0, "%s",
                  program_file("out"));
    ck_assert_ptr_null(strstr(program_file("out"), "Goals missed"));
    const char *csv = program_file("bench.csv");
    ck_assert_uint_eq(count_lines(csv), 7); /* h, b, b.fit, each with two threads and with one */
    for (size_t line = 0; line < 7; line++)
        ck_assert_uint_eq(count_cells(csv, line), 14);
    ck_assert_ptr_nonnull(strstr(csv, "\nb,2,luge 1 thread,"));
}
END_TEST

/* A rival that trains something else: its loss is not luge's. */
START_TEST(a_rival_with_another_loss_is_void_and_the_exit_status_says_so)
{
    program_write("liar", "#!/bin/sh\n[ \"$1\" = -c ] && exit 0\n"
                          "[ -n \"$4\" ] || [ \"${1%numpy_rival.py}\" = \"$1\" ] && exec sed -u 's/.*/none/'\n"
                          "while read -r command name steps; do\n"
                          "    case $command in about) echo liar ;; *) echo $steps 0.001 0.001 0.5 0 ;; esac\ndone\n");
    ck_assert_int_eq(program_run("chmod +x liar && $bin/bench/compare --quick --no-startup -m 1 --python ./liar "
                                 "--worker $bin/bench/worker --out . h"), 1);
    ck_assert_ptr_nonnull(strstr(program_file("err"), "h: NumPy is void: loss 0.5, gradient 0 after 20 steps"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "void"));
    ck_assert_ptr_nonnull(strstr(program_file("bench.csv"), "\nh,1,NumPy,1000,1000,"));
}
END_TEST

/* A rival with the right loss, a fifteenth of whose time is less than the products of b take by themselves. */
START_TEST(a_goal_that_the_machine_forbids_is_out_of_reach)
{
    program_write("quick", "#!/bin/sh\n[ \"$1\" = -c ] && exit 0\n"
                           "[ \"${1%numpy_rival.py}\" = \"$1\" ] && exec sed -u 's/.*/none/'\n"
                           "while read -r command name steps; do\n"
                           "    case $command,$name in about*) echo quick ;; *,b.fit) echo none ;;\n"
                           "    *) echo $steps | awk '{ print $1, 5e-6 * $1, 5e-6 * $1, 0.6597751975, 0 }' ;; esac\ndone\n");
    program_ok("chmod +x quick && $bin/bench/compare --quick --no-startup -m 1 --python ./quick --worker $bin/bench/worker "
               "--out . b");
    const char *misses = strstr(program_file("out"), "\nGoals missed:\n");
    ck_assert_msg(LG_REAL_BITS == 64 ? !misses : misses && strstr(misses, " 15 times as fast as NumPy would be 0.3333 us; it is ") &&
                  strstr(misses, ": out of reach, BLAS and bare loops alone take "), "%s", program_file("out"));
}
END_TEST

/* AddressSanitizer has memory of its own around every allocation; OpenBLAS's share for doubles grows with the batch. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_IS_OURS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_IS_OURS false
#endif
#endif
#ifndef MEMORY_IS_OURS
#define MEMORY_IS_OURS (LG_REAL_BITS == 32)
#endif

/* A line for each size of a sweep: its work grows, and so does its time between the ends. */
START_TEST(scaling_has_a_row_for_every_size_and_memory_grows_as_the_network)
{
    ck_assert_int_eq(program_run("$bin/bench/scaling . length memory"), 0);
    const char *csv = program_file("scaling.csv");
    ck_assert_uint_eq(count_lines(csv), 9);
    double size[2], work[2], us[2];
    ck_assert_int_eq(sscanf(strstr(csv, "\nlength,10,"), "\nlength,%lf,%lf,%lf,", &size[0], &work[0], &us[0]), 3);
    ck_assert_int_eq(sscanf(strstr(csv, "\nlength,2000,"), "\nlength,%lf,%lf,%lf,", &size[1], &work[1], &us[1]), 3);
    ck_assert_double_eq(work[1] / work[0], size[1] / size[0]);
    ck_assert(us[0] > 0 && us[1] > 2 * us[0]);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "memory of training beyond"));
    if (MEMORY_IS_OURS) /* parameters, gradients, moments, results and their gradients, and at most a tenth more */
        ck_assert_msg(!strstr(program_file("out"), "over 1.1"), "%s", program_file("out"));
    ck_assert_int_eq(program_run("$bin/bench/scaling no-such-folder"), 1);
}
END_TEST

START_TEST(overhead_of_the_tape_is_counted_by_operation)
{
    double forward = 0, backward = 0, step = 0, blas = 0;
    ck_assert_int_eq(program_run("$bin/bench/overhead 1"), 0);
    const char *out = program_file("out"), *add = strstr(out, "\nadd "), *b = strstr(out, "\nworkload b: ");
    ck_assert(add && b);
    ck_assert_int_eq(sscanf(add, " add %lf %*f %lf", &forward, &backward), 2);
    ck_assert_int_eq(sscanf(b, " workload b: %lf us per step, %lf of them in BLAS", &step, &blas), 2);
    ck_assert(forward > 1 && backward > 1 && blas > 0 && blas < step);
    ck_assert_int_eq(program_run("$bin/bench/overhead 0"), 2);
}
END_TEST

START_TEST(wrong_options_are_usage_errors_and_what_is_not_there_is_said)
{
    static const char *const wrong[] = { "x", "--rounds 0", "--threads 1,x", "--threads ''", "--no-such-option" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(program_run("$bin/bench/compare %s", wrong[i]), 2);
    ck_assert_int_eq(program_run("$bin/bench/compare --out no-such/folder h"), 1);
    ck_assert_uint_eq(count_lines(program_file("err")), 1);
    ck_assert_int_eq(program_run("$bin/bench/compare --worker ./no-such-worker --python no-such-python --out . h"), 1);
}
END_TEST

Suite *bench_suite(void);
Suite *bench_suite(void)
{
    Suite *suite = suite_create("bench");
    TCase *tcase = tcase_create("bench");
    tcase_add_checked_fixture(tcase, program_setup, program_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, workloads_compute_what_pytorch_computes);
    tcase_add_test(tcase, the_worker_answers_line_by_line);
    tcase_add_test(tcase, without_python_luge_is_alone_in_the_table);
    tcase_add_test(tcase, a_rival_with_another_loss_is_void_and_the_exit_status_says_so);
    tcase_add_test(tcase, a_goal_that_the_machine_forbids_is_out_of_reach);
    tcase_add_test(tcase, scaling_has_a_row_for_every_size_and_memory_grows_as_the_network);
    tcase_add_test(tcase, overhead_of_the_tape_is_counted_by_operation);
    tcase_add_test(tcase, wrong_options_are_usage_errors_and_what_is_not_there_is_said);
    suite_add_tcase(suite, tcase);
    return suite;
}
