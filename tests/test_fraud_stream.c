/* The fraud detector on a file that it streams, as a whole program: what it comes to in memory and, with a small buffer,
 * about that; resumed; and what it says of files and options that will not do. */
#include "program.h"

#include <check.h>
#include <luge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN "$bin/fraud --data small.csv --target fraud --epochs 4 --verbose 0 "

/* 1000 payments in two clouds, 1 in 10 of them fraud; some amounts are missing. The frauds come last. */
static void setup(void)
{
    program_setup();
    lg_rng values = lg_rng_seed(7);
    static char text[65536];
    size_t used = (size_t)sprintf(text, "a,b,land,fraud\n");
    for (int i = 0; i < 1000; i++) {
        const double shift = i >= 900 ? 1.4 : 0;
        char amount[32];
        snprintf(amount, sizeof amount, "%.4f", lg_rng_normal(&values) + shift);
        used += (size_t)sprintf(text + used, "%s,%.4f,%s,%d\n", i % 50 == 7 ? "" : amount, lg_rng_normal(&values) - shift,
                                i % 3 ? "de" : "fr", i >= 900);
    }
    program_write("small.csv", text);
}

/* Where two files differ, but for the last column of the first, the seconds. */
static void assert_same_files(const char *a, const char *b)
{
    ck_assert_msg(program_run("sed 's/,[^,]*$//' %s >left; sed 's/,[^,]*$//' %s >right; cmp left right", a, b) == 0,
                  "%s and %s: %s", a, b, program_file("out"));
}

START_TEST(with_room_for_all_rows_the_run_is_that_in_memory)
{
    ck_assert_int_eq(program_run(RUN "--missing mean --out memory"), 0);
    ck_assert_msg(program_run(RUN "--missing mean --out streamed --stream") == 0, "%s", program_file("err"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "Data: small.csv, 1000 rows, 4 features, streamed"));
    assert_same_files("memory/history.csv", "streamed/history.csv");
    ck_assert_int_eq(program_run("cmp memory/predictions.csv streamed/predictions.csv"), 0);
    ck_assert_int_eq(program_run("cmp memory/model.safetensors streamed/model.safetensors"), 0);
}
END_TEST

START_TEST(with_a_small_buffer_it_is_about_as_good_and_can_be_resumed)
{
    ck_assert_int_eq(program_run(RUN "--missing mean --out memory"), 0);
    ck_assert_int_eq(program_run(RUN "--missing mean --out whole --stream --shuffle-buffer 500"), 0);
    ck_assert_double_eq_tol(program_fact("memory/run.json", "metrics.roc_auc"),
                            program_fact("whole/run.json", "metrics.roc_auc"), 0.02);
    ck_assert_int_ne(program_run("cmp memory/model.safetensors whole/model.safetensors"), 0);
    const char *part = RUN "--missing mean --out part --stream --shuffle-buffer 500 --epochs 2 --save-every 1";
    ck_assert_int_eq(program_run("%s", part), 0);
    ck_assert_msg(program_run(RUN "--missing mean --resume part --stream --shuffle-buffer 500") == 0, "%s",
                  program_file("err"));
    assert_same_files("whole/history.csv", "part/history.csv");
    ck_assert_int_eq(program_run("cmp whole/model.safetensors part/model.safetensors"), 0);
    ck_assert_int_eq(program_run(RUN "--missing mean --resume part --stream --shuffle-buffer 256 --epochs 5"), 1);
    ck_assert_ptr_nonnull(strstr(program_file("err"), "cannot be gone on from"));
}
END_TEST

START_TEST(rows_to_predict_can_be_streamed_too)
{
    ck_assert_int_eq(program_run(RUN "--missing mean --out model"), 0);
    ck_assert_int_eq(program_run("$bin/fraud --load model --predict small.csv --out memory"), 0);
    ck_assert_msg(program_run("$bin/fraud --load model --predict small.csv --out streamed --stream") == 0, "%s",
                  program_file("err"));
    ck_assert_int_eq(program_run("cmp memory/predictions.csv streamed/predictions.csv"), 0);
}
END_TEST

static const struct { const char *arguments; int status; const char *words; } refusals[] = {
    { "--stream", 1, "fraud: small.csv:9: column \"a\": \"\" is a missing value; options (missing) can fill or drop it" },
    { "--stream --missing median", 2, "--missing median needs all rows in memory, where --stream does not have them" },
    { "--shuffle-buffer 9", 2, "--shuffle-buffer needs --stream" },
    { "--stream --shuffle-buffer 0", 2, "--shuffle-buffer: \"0\" is not a whole number from 1 to 1000000000" },
};

START_TEST(what_will_not_do_is_said)
{
    ck_assert_int_eq(program_run(RUN "%s", refusals[_i].arguments), refusals[_i].status);
    ck_assert_msg(strstr(program_file("err"), refusals[_i].words), "%s", program_file("err"));
    ck_assert(!program_has("runs"));
}
END_TEST

START_TEST(a_packed_file_is_refused)
{
    ck_assert_int_eq(program_run("gzip small.csv; $bin/fraud --data small.csv.gz --target fraud --stream"), 1);
    ck_assert_str_eq(program_file("err"), "fraud: small.csv.gz: is packed, or no file; a plain file is needed, to be read "
                                          "from anywhere\n");
    ck_assert_int_eq(program_run("$bin/fraud --stream"), 2);
    ck_assert_ptr_nonnull(strstr(program_file("err"), "--stream needs --data"));
}
END_TEST

Suite *fraud_stream_suite(void)
{
    Suite *suite = suite_create("fraud_stream");
    TCase *tcase = tcase_create("fraud_stream");
    tcase_add_checked_fixture(tcase, setup, program_teardown);
    tcase_set_timeout(tcase, 10);
    tcase_add_test(tcase, with_room_for_all_rows_the_run_is_that_in_memory);
    tcase_add_test(tcase, with_a_small_buffer_it_is_about_as_good_and_can_be_resumed);
    tcase_add_test(tcase, rows_to_predict_can_be_streamed_too);
    tcase_add_loop_test(tcase, what_will_not_do_is_said, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(tcase, a_packed_file_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
