/* Histories in memory and as files. */
#include "fail_alloc.h"
#include "train/history.h"

#include <check.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

static char folder[64], path[128];

static void make_folder(void)
{
    strcpy(folder, "/tmp/luge-history-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *content)
{
    FILE *stream = fopen(name, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(content, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

static const char *read_file(const char *name)
{
    static char content[65536];
    FILE *stream = fopen(name, "r");
    ck_assert_msg(stream != NULL, "%s: %s", name, strerror(errno));
    content[fread(content, 1, sizeof content - 1, stream)] = '\0';
    fclose(stream);
    return content;
}

/* A row (epoch, loss, val_loss). */
static lg_status add(lg_history *history, double epoch, double loss, double val_loss)
{
    return lg_history_add(history, 3, (const char *[]){ "epoch", "loss", "val_loss" },
                          (double[]){ epoch, loss, val_loss });
}

START_TEST(columns_hold_what_rows_added)
{
    lg_history *history = lg_history_new();
    for (int epoch = 1; epoch <= 100; epoch++)
        ck_assert_int_eq(add(history, epoch, 1.0 / epoch, -epoch), LG_OK);
    ck_assert_uint_eq(lg_history_rows(history), 100);
    ck_assert_uint_eq(lg_history_column_count(history), 3);
    ck_assert_str_eq(lg_history_column_name(history, 0), "epoch");
    ck_assert_str_eq(lg_history_column_name(history, 2), "val_loss");
    ck_assert_ptr_null(lg_history_column_name(history, 3));
    size_t rows;
    const double *loss = lg_history_column(history, "loss", &rows);
    ck_assert_uint_eq(rows, 100);
    for (int epoch = 1; epoch <= 100; epoch++)
        ck_assert(loss[epoch - 1] == 1.0 / epoch);
    ck_assert(lg_history_last(history, "val_loss") == -100);
    ck_assert(lg_history_has(history, "loss") && !lg_history_has(history, "lost"));
    lg_history_free(history);
}
END_TEST

START_TEST(a_late_name_becomes_a_column_behind_its_neighbour)
{
    lg_history *history = lg_history_new();
    ck_assert_int_eq(add(history, 1, 0.5, 0.6), LG_OK);
    ck_assert_int_eq(lg_history_add(history, 4, (const char *[]){ "epoch", "loss", "auc", "late" },
                                    (double[]){ 2, 0.4, 0.9, 7 }), LG_OK);
    const char *names[] = { "epoch", "loss", "auc", "late", "val_loss" };
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(lg_history_column_name(history, i), names[i]);
    const double *auc = lg_history_column(history, "auc", NULL), *val = lg_history_column(history, "val_loss", NULL);
    ck_assert(isnan(auc[0]) && auc[1] == 0.9 && val[0] == 0.6 && isnan(val[1]));
    lg_history_free(history);
}
END_TEST

START_TEST(an_unknown_column_names_the_nearest)
{
    lg_history *history = lg_history_new();
    ck_assert(isnan(lg_history_last(NULL, "loss")));
    lg_error_clear();
    ck_assert(isnan(lg_history_last(history, "loss")));
    ck_assert_int_eq(add(history, 1, 0.5, 0.6), LG_OK);
    ck_assert(isnan(lg_history_last(history, "val_los")));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    ck_assert_msg(strstr(lg_error(), "val_loss") != NULL, "%s", lg_error());
    lg_history_free(history);
}
END_TEST

START_TEST(names_that_would_break_a_file_are_refused)
{
    lg_history *history = lg_history_new();
    const char *bad[] = { "", "a,b", "a\"b", "a\nb", "a\\b",
                          "0123456789012345678901234567890123456789012345678901234567890123" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(lg_history_add(history, 1, &bad[i], (double[]){ 1 }), LG_E_PARAM);
        ck_assert_uint_eq(lg_history_column_count(history), 0);
    }
    ck_assert_int_eq(lg_history_add(history, 2, (const char *[]){ "a", "a" }, (double[]){ 1, 2 }), LG_E_PARAM);
    ck_assert_uint_eq(lg_history_rows(history), 0);
    lg_history_free(history);
}
END_TEST

START_TEST(csv_is_written_plainly)
{
    lg_history *history = lg_history_new();
    lg_history_file *file = lg_history_file_open(in_folder("h.csv"), NULL);
    ck_assert_ptr_nonnull(file);
    ck_assert_str_eq(read_file(path), "");
    add(history, 1, 0.1, 1e-300);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    ck_assert_str_eq(read_file(path), "epoch,loss,val_loss\n1,0.1,1e-300\n"); /* flushed: no close yet */
    add(history, 2, NAN, INFINITY);
    add(history, 3, 1.0 / 3, 100000);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    ck_assert_int_eq(lg_history_file_close(file), LG_OK);
    ck_assert_str_eq(read_file(path), "epoch,loss,val_loss\n1,0.1,1e-300\n2,nan,inf\n3,0.3333333333333333,100000\n");
    lg_history_free(history);
}
END_TEST

START_TEST(json_lines_are_written_plainly)
{
    lg_history *history = lg_history_new();
    lg_history_file *file = lg_history_file_open(in_folder("h.jsonl"), NULL);
    add(history, 1, 0.25, -1e-9);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    add(history, 2, NAN, INFINITY);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    ck_assert_int_eq(lg_history_file_close(file), LG_OK);
    ck_assert_str_eq(read_file(path), "{\"epoch\": 1, \"loss\": 0.25, \"val_loss\": -1e-09}\n"
                                      "{\"epoch\": 2, \"loss\": null, \"val_loss\": null}\n");
    lg_history_free(history);
}
END_TEST

/* Writes a history of numbers of all magnitudes, reads it back, and wants every bit again. */
static void check_exact(const char *name)
{
    lg_history *history = lg_history_new();
    uint64_t bits = UINT64_C(0x3FB999999999999A);
    for (int row = 1; row <= 300; row++) {
        double value;
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const uint64_t finite = bits & ~(UINT64_C(1) << 62);
        memcpy(&value, &finite, sizeof value);
        ck_assert_int_eq(add(history, row, value, row * 0.1), LG_OK);
    }
    ck_assert_int_eq(lg_history_write(history, in_folder(name)), LG_OK);
    lg_history *back = lg_history_read(path);
    ck_assert_msg(back != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_history_rows(back), 300);
    for (size_t c = 0; c < 3; c++)
        ck_assert_mem_eq(lg_history_column(back, lg_history_column_name(history, c), NULL),
                         lg_history_column(history, lg_history_column_name(history, c), NULL), 300 * sizeof(double));
    lg_history_free(back);
    lg_history_free(history);
}

/* A German locale writes numbers with commas. It is compiled here, where the system has the means to. */
START_TEST(numbers_read_back_bit_for_bit_in_any_locale)
{
    check_exact("exact.csv");
    check_exact("exact.jsonl");
    char command[160], text[8];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >/dev/null 2>&1", folder);
    if (system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 && setlocale(LC_ALL, "de_DE.UTF-8")) {
        snprintf(text, sizeof text, "%.1f", 0.5);
        ck_assert_str_eq(text, "0,5");
        check_exact("german.csv");
        check_exact("german.jsonl");
        setlocale(LC_ALL, "C");
    }
    unsetenv("LOCPATH");
}
END_TEST

START_TEST(a_late_column_rewrites_the_csv)
{
    lg_history *history = lg_history_new();
    lg_history_file *file = lg_history_file_open(in_folder("late.csv"), NULL);
    add(history, 1, 0.5, 0.6);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    lg_history_add(history, 3, (const char *[]){ "epoch", "loss", "auc" }, (double[]){ 2, 0.4, 0.9 });
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    add(history, 3, 0.25, 0.5);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    ck_assert_int_eq(lg_history_file_close(file), LG_OK);
    ck_assert_str_eq(read_file(path), "epoch,loss,auc,val_loss\n1,0.5,nan,0.6\n2,0.4,0.9,nan\n3,0.25,nan,0.5\n");
    lg_history_free(history);
}
END_TEST

START_TEST(a_history_can_be_cut_and_gone_on_with)
{
    write_file(in_folder("r.csv"), "epoch,loss,val_loss\n1,3,4\n2,2,3\n3,1,2\n");
    lg_history *history = lg_history_read(path);
    lg_history_cut(history, 2);
    lg_history_file *file = lg_history_file_open(path, history);
    ck_assert_msg(file != NULL, "%s", lg_error());
    add(history, 3, 0.5, 1.5);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    ck_assert_int_eq(lg_history_file_close(file), LG_OK);
    ck_assert_str_eq(read_file(path), "epoch,loss,val_loss\n1,3,4\n2,2,3\n3,0.5,1.5\n");
    lg_history_free(history);
}
END_TEST

START_TEST(reading_accepts_what_other_programs_leave)
{
    write_file(in_folder("x.csv"), "\xEF\xBB\xBF" "epoch,loss,acc\r\n1,0.5,\r\n2,-inf,NaN\r\n\r\n3,1e3,4");
    lg_history *history = lg_history_read(path);
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_history_rows(history), 3);
    const double *loss = lg_history_column(history, "loss", NULL), *acc = lg_history_column(history, "acc", NULL);
    ck_assert(loss[0] == 0.5 && loss[1] == -INFINITY && loss[2] == 1000);
    ck_assert(isnan(acc[0]) && isnan(acc[1]) && acc[2] == 4);
    lg_history_free(history);
    write_file(in_folder("empty.csv"), "");
    ck_assert_ptr_nonnull(history = lg_history_read(path));
    ck_assert_uint_eq(lg_history_rows(history), 0);
    lg_history_free(history);
}
END_TEST

static const struct { const char *name, *content, *message; } broken[] = {
    { "b.csv", "epoch,loss\n1,0.5\n2\n", "b.csv:3: 1 cell, the header has 2" },
    { "b.csv", "epoch,loss\n1,0.5\n2,0.4,3\n", "b.csv:3: 3 cells, the header has 2" },
    { "b.csv", "epoch,loss\n1,0.5x\n", "b.csv:2: column \"loss\": \"0.5x\" is not a number" },
    { "b.csv", "loss,epoch\n1,2\n", "b.csv:1: the first column is \"loss\"" },
    { "b.csv", "epoch,loss,loss\n1,2,3\n", "b.csv:1: column \"loss\" comes twice" },
    { "b.csv", "epoch,\"loss\"\n1,2\n", "b.csv:1: " },
    { "b.csv", "epoch,loss\n2,1\n2,1\n", "b.csv:3: epoch 2 comes after epoch 2" },
    { "b.csv", "epoch,loss\n1.5,1\n", "b.csv:2: epoch 1.5 is not a whole number" },
    { "b.csv", "epoch,loss\nnan,1\n", "b.csv:2: epoch nan is not a whole number" },
    { "b.jsonl", "{\"epoch\": 1, \"loss\": 2}\n{\"epoch\": 2, \"loss\": \n", "b.jsonl:2: " },
    { "b.jsonl", "[1, 2]\n", "b.jsonl:1: not a JSON object" },
    { "b.jsonl", "{\"epoch\": 1, \"loss\": \"low\"}\n", "b.jsonl:1: \"loss\" is neither a number nor null" },
    { "b.jsonl", "{\"loss\": 1}\n", "b.jsonl:1: the first column is \"loss\"" },
    { "b.jsonl", "{\"epoch\": 1, \"a\": 1, \"a\": 2}\n", "b.jsonl:1: duplicate" },
};

START_TEST(a_broken_file_is_named_with_its_line)
{
    write_file(in_folder(broken[_i].name), broken[_i].content);
    ck_assert_ptr_null(lg_history_read(path));
    ck_assert_int_eq(lg_error_code(), LG_E_FORMAT);
    ck_assert_msg(strstr(lg_error(), broken[_i].message) != NULL, "%s", lg_error());
}
END_TEST

START_TEST(the_content_tells_csv_from_json_lines)
{
    const char *names[] = { "h.csv", "h.jsonl", "h" };
    const char *contents[] = { "epoch,loss\n1,0.5\n2,nan\n", "\n{\"epoch\": 1, \"loss\": 0.5}\n{\"epoch\": 2, \"loss\": null}\n",
                               "\xEF\xBB\xBF  {\"epoch\": 1, \"loss\": 0.5}\r\n\r\n{\"epoch\": 2}" };
    for (size_t n = 0; n < 3; n++)
        for (size_t c = 0; c < 3; c++) {
            write_file(in_folder(names[n]), contents[c]);
            lg_history *history = lg_history_read(path);
            ck_assert_msg(history != NULL, "%s", lg_error());
            ck_assert_uint_eq(lg_history_rows(history), 2);
            const double *loss = lg_history_column(history, "loss", NULL);
            ck_assert(loss[0] == 0.5 && isnan(loss[1]));
            lg_history_free(history);
        }
}
END_TEST

static const struct { const char *content; size_t rows, half; } growing[] = {
    { "epoch,loss\n1,0.5\n2,0.25\n", 2, 0 },
    { "epoch,loss\n1,0.5\n2,0.25", 1, 3 },
    { "epoch,loss\n1,0.5\n2", 1, 3 },
    { "epoch,loss\n1,0.5\n2,-", 1, 3 },
    { "epoch,lo", 0, 1 },
    { "", 0, 0 },
    { "{\"epoch\": 1, \"loss\": 0.5}\n{\"epoch\": 2, \"loss\": 0.25}", 2, 0 },
    { "{\"epoch\": 1, \"loss\": 0.5}\n{\"epoch\": 2, \"lo", 1, 2 },
    { "{\"epo", 0, 1 },
};

START_TEST(a_growing_file_is_read_up_to_its_last_whole_line)
{
    size_t half = 77;
    write_file(in_folder("g"), growing[_i].content);
    lg_history *history = lg_history_read_growing(path, &half);
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_history_rows(history), growing[_i].rows);
    ck_assert_uint_eq(half, growing[_i].half);
    lg_history_free(history);
    write_file(in_folder("g"), "epoch,loss\n1\n2,0.5"); /* what has its end is held to it */
    ck_assert_ptr_null(lg_history_read_growing(path, NULL));
    ck_assert_msg(strstr(lg_error(), "g:2: 1 cell, the header has 2") != NULL, "%s", lg_error());
}
END_TEST

START_TEST(a_missing_file_is_an_io_error)
{
    ck_assert_ptr_null(lg_history_read(in_folder("none.csv")));
    ck_assert_int_eq(lg_error_code(), LG_E_IO);
    ck_assert_ptr_null(lg_history_file_open(in_folder("no/such/folder.csv"), NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_IO);
    ck_assert_msg(strstr(lg_error(), "No such file") != NULL, "%s", lg_error());
}
END_TEST

START_TEST(a_full_device_is_an_error)
{
    lg_history *history = lg_history_new();
    lg_history_file *file = lg_history_file_open("/dev/full", NULL);
    ck_assert_msg(file != NULL, "%s", lg_error());
    add(history, 1, 0.5, 0.6);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_E_IO);
    ck_assert_str_eq(lg_error(), "/dev/full: the history cannot be written: No space left on device");
    lg_history_file_close(file);
    lg_history_free(history);
}
END_TEST

/* A limit of the file size stands in for a disk that fills up in the middle of a row. */
START_TEST(a_row_that_does_not_fit_leaves_the_rows_before_it_whole)
{
    struct rlimit before;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    lg_history *history = lg_history_new();
    lg_history_file *file = lg_history_file_open(in_folder("full.csv"), NULL);
    add(history, 1, 0.5, 0.6);
    ck_assert_int_eq(lg_history_file_append(file, history), LG_OK);
    const struct rlimit limit = { 40, before.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    add(history, 2, 1.0 / 3, 2.0 / 3);
    const lg_status status = lg_history_file_append(file, history);
    lg_history_file_close(file);
    lg_history_free(history);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(status, LG_E_IO);
    ck_assert_str_eq(read_file(path), "epoch,loss,val_loss\n1,0.5,0.6\n");
}
END_TEST

static lg_status build_and_write(void *context)
{
    lg_history *history = lg_history_new(), *back = NULL;
    lg_history_file *file = history ? lg_history_file_open(context, NULL) : NULL;
    lg_status status = file ? LG_OK : lg_error_code();
    for (int row = 1; row <= 40 && status == LG_OK; row++) {
        const char *names[] = { "epoch", "loss", row > 20 ? "extra" : "val_loss" };
        status = lg_history_add(history, 3, names, (double[]){ row, row, row });
        const size_t expected = (size_t)row - (status != LG_OK);
        if (lg_history_rows(history) != expected || (status != LG_OK && lg_history_column_count(history) > 4))
            status = lg_fail(LG_E_STATE, "a failed addition has changed the history");
        if (status == LG_OK)
            status = lg_history_file_append(file, history);
    }
    if (status == LG_OK)
        status = (back = lg_history_read(context)) ? LG_OK : lg_error_code();
    if (status == LG_OK && lg_history_rows(back) != 40)
        status = lg_fail(LG_E_STATE, "%zu rows came back", lg_history_rows(back));
    lg_history_free(back);
    lg_history_file_close(file);
    lg_history_free(history);
    return status;
}

START_TEST(running_out_of_memory_anywhere_is_an_error)
{
    ck_assert_uint_gt(for_each_allocation_failure(build_and_write, (void *)in_folder(_i ? "m.jsonl" : "m.csv")), 10);
}
END_TEST

Suite *history_suite(void)
{
    Suite *suite = suite_create("history");
    TCase *memory = tcase_create("in memory");
    tcase_add_test(memory, columns_hold_what_rows_added);
    tcase_add_test(memory, a_late_name_becomes_a_column_behind_its_neighbour);
    tcase_add_test(memory, an_unknown_column_names_the_nearest);
    tcase_add_test(memory, names_that_would_break_a_file_are_refused);
    suite_add_tcase(suite, memory);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, csv_is_written_plainly);
    tcase_add_test(files, json_lines_are_written_plainly);
    tcase_add_test(files, a_late_column_rewrites_the_csv);
    tcase_add_test(files, a_history_can_be_cut_and_gone_on_with);
    tcase_add_test(files, reading_accepts_what_other_programs_leave);
    tcase_add_loop_test(files, a_broken_file_is_named_with_its_line, 0, sizeof broken / sizeof *broken);
    tcase_add_test(files, the_content_tells_csv_from_json_lines);
    tcase_add_loop_test(files, a_growing_file_is_read_up_to_its_last_whole_line, 0, sizeof growing / sizeof *growing);
    tcase_add_test(files, a_missing_file_is_an_io_error);
    tcase_add_test(files, a_full_device_is_an_error);
    tcase_add_test(files, a_row_that_does_not_fit_leaves_the_rows_before_it_whole);
    tcase_add_loop_test(files, running_out_of_memory_anywhere_is_an_error, 0, 2);
    suite_add_tcase(suite, files);
    TCase *locales = tcase_create("locales");
    tcase_set_timeout(locales, 30); /* compiling one takes its time */
    tcase_add_checked_fixture(locales, make_folder, remove_folder);
    tcase_add_test(locales, numbers_read_back_bit_for_bit_in_any_locale);
    suite_add_tcase(suite, locales);
    return suite;
}
