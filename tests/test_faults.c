/* What goes wrong around a program, and in the files that it is given, beside what the tests of each format have: folders
 * that cannot be written to or vanish, a file system that fills up, SIGTERM, and damage to files of text, to histories and
 * to what is streamed. */
#include "program.h"
#include "scratch.h"
#include "support.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <luge.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FRAUD "--data small.csv --target fraud"

static void setup(void)
{
    program_setup();
    char text[16384] = "a,b,fraud\n";
    size_t used = strlen(text);
    lg_rng rng = lg_rng_seed(7);
    for (int i = 0; i < 300; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%.4f,%.4f,%d\n", lg_rng_normal(&rng) + (i % 10 == 0),
                                 lg_rng_normal(&rng), i % 10 == 0);
    program_write("small.csv", text);
}

/* One line on stderr, which says where and why. */
static void assert_failure(int status, const char *where, const char *why)
{
    const char *message = program_file("err");
    ck_assert_msg(status == 1 && count_lines(message) == 1 && strstr(message, where) && strstr(message, why),
                  "status %d: %s", status, message);
}

/* ----------------------------------------------------------------- folders */

/* For root every folder is writable, so the program runs as nobody, from a copy that nobody can reach. */
START_TEST(a_folder_that_cannot_be_written_to_is_said)
{
    ck_assert_int_eq(program_run("mkdir closed other; cp $bin/fraud .; chmod 755 . fraud; chmod 555 closed; chmod 777 other; "
                                 "chmod 644 small.csv"), 0);
    const char *as_nobody = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
    if (geteuid() == 0 && program_run("%strue", as_nobody) != 0)
        return; /* nobody cannot be had here */
    int status = program_run("cd other && %s../fraud --data ../small.csv --target fraud --epochs 1 --out ../closed/run",
                             as_nobody);
    assert_failure(status, "closed/run", strerror(EACCES));
    status = program_run("cd closed && %s../fraud --data ../small.csv --target fraud --epochs 1", as_nobody);
    assert_failure(status, "runs", strerror(EACCES));
    status = program_run("cd other && %s../fraud --data ../small.csv --target fraud --epochs 1 --out ../small.csv/run",
                         as_nobody);
    assert_failure(status, "small.csv/run", strerror(ENOTDIR));
    ck_assert_int_eq(program_run("rmdir closed"), 0); /* nothing is in it */
}
END_TEST

static pid_t start_fraud(const char *const more[])
{
    char program[4096];
    const char *words[24] = { "fraud", "--data", "small.csv", "--target", "fraud", "--out", "r", "--epochs", "1000000" };
    snprintf(program, sizeof program, "%s/fraud", test_build_dir());
    size_t count = 9;
    for (size_t i = 0; more[i]; i++)
        words[count++] = more[i];
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    if (chdir(program_path("")) < 0 || dup2(open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666), 1) < 0
        || dup2(open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666), 2) < 0)
        _exit(99);
    execv(program, (char *const *)words);
    _exit(99);
}

/* Waits until the file has grown to more than `bytes`. */
static void wait_for_file(const char *name, long bytes)
{
    struct stat about = { 0 };
    for (int i = 0; i < 4000 && (stat(program_path(name), &about) < 0 || about.st_size <= bytes); i++)
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    ck_assert_int_gt(about.st_size, bytes);
}

START_TEST(a_folder_that_vanishes_ends_the_run_with_a_sentence)
{
    const pid_t child = start_fraud((const char *const[]){ "--verbose", "0", "--save-every", "1", NULL });
    wait_for_file("r/history.csv", 400);
    wait_for_file("r/checkpoint.safetensors", 0);
    char gone[512];
    snprintf(gone, sizeof gone, "%s", program_path("gone"));
    ck_assert_int_eq(rename(program_path("r"), gone), 0);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    assert_failure(WEXITSTATUS(status), "r/", strerror(ENOENT));
    lg_history *history = lg_history_read(program_path("gone/history.csv")); /* what was written before is whole */
    ck_assert_msg(history != NULL, "%s", lg_error());
    lg_history_free(history);
}
END_TEST

/* -------------------------------------------------------- a full file system */

/* Four pages of a file system in memory: room for the run's first files, and not for all of them. */
START_TEST(a_file_system_that_fills_up_ends_the_run_with_a_sentence)
{
    if (program_run("mkdir m && unshare -rm sh -c 'mount -t tmpfs -o size=16k none m'") != 0)
        return; /* neither root nor user namespaces here */
    const int status = program_run("export bin; unshare -rm sh -c 'mount -t tmpfs -o size=16k none m; $bin/fraud " FRAUD
                                   " --hidden 64,64 --verbose 0 --save-every 1 --epochs 3 --out m/r; status=$?; ls m/r >list; "
                                   "cp m/r/history.csv kept.csv; exit $status'");
    assert_failure(status, "m/r/", strerror(ENOSPC));
    ck_assert_ptr_null(strstr(program_file("list"), "partial"));
    ck_assert_ptr_null(strstr(program_file("list"), "model.safetensors"));
}
END_TEST

/* ----------------------------------------------------------------- signals */

START_TEST(sigterm_leaves_whole_files_and_is_what_it_dies_of)
{
    const pid_t child = start_fraud((const char *const[]){ "--verbose", "2", NULL });
    wait_for_file("r/history.csv", 400);
    ck_assert_int_eq(kill(child, SIGTERM), 0);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "status %#x", (unsigned)status);
    lg_history *history = lg_history_read(program_path("r/history.csv"));
    ck_assert_msg(history != NULL, "%s", lg_error());
    lg_history_free(history);
    ck_assert_ptr_nonnull(strstr(program_file("r/run.json"), "\"status\": \"interrupted\""));
    lg_safetensors *model = lg_safetensors_open(program_path("r/model.safetensors"));
    ck_assert_msg(model != NULL, "%s", lg_error());
    lg_safetensors_close(model);
}
END_TEST

/* ------------------------------------------------------------------ damage */

static const char table[] = "a,colour,b,y\n1.5,red,2e3,ham\n-2,\"deep \"\"blue\"\"\",.25,spam\n0,green,7,ham\n1,red,-1e-3,spam\n";
static const char sparse[] = "+1 1:0.5 3:-2e1\n-1 2:1 # a comment\n+1 3:4\n";
static const char rows_csv[] = "epoch,loss,val_loss\n1,0.5,0.75\n2,0.25,0.5\n3,0.125,0.375\n";
static const char rows_jsonl[] = "{\"epoch\": 1, \"loss\": 0.5}\n{\"epoch\": 2, \"loss\": 0.25}\n";

static bool read_table(const char *path)
{
    lg_dataset *dataset = lg_dataset_read(path, &(lg_read_options){ .csv.target = "-1" });
    lg_dataset_free(dataset);
    return dataset != NULL;
}

static bool stream_table(const char *path)
{
    lg_dataset *dataset = lg_dataset_stream(path, &(lg_read_options){ .csv.target = "-1" }, 0);
    lg_batch *batch = dataset ? lg_batch_new(dataset, 1) : NULL;
    for (size_t i = 0; i < lg_dataset_rows(dataset); i++)
        ck_assert_msg(lg_batch_fill(batch, &i, 1) == LG_OK, "%s", lg_error());
    lg_batch_free(batch);
    lg_dataset_free(dataset);
    return dataset != NULL;
}

static bool read_sparse(const char *path)
{
    lg_dataset *dataset = lg_dataset_read_libsvm(path, NULL);
    lg_dataset_free(dataset);
    return dataset != NULL;
}

static bool read_history(const char *path)
{
    lg_history *history = lg_history_read(path);
    lg_history_free(history);
    return history != NULL;
}

static const struct damaged {
    const char *what, *text;
    size_t bytes;
    bool (*read)(const char *path);
    bool packed;
    size_t least_refused; /* of cuts and changes: a cut or changed text is often one still */
} files[] = {
    { "CSV", table, sizeof table - 1, read_table, false, 30 },
    { "CSV, packed", table, sizeof table - 1, read_table, true, 150 },
    { "CSV, streamed", table, sizeof table - 1, stream_table, false, 30 },
    { "LIBSVM", sparse, sizeof sparse - 1, read_sparse, false, 30 },
    { "LIBSVM, packed", sparse, sizeof sparse - 1, read_sparse, true, 90 },
    { "history, CSV", rows_csv, sizeof rows_csv - 1, read_history, false, 30 },
    { "history, JSON lines", rows_jsonl, sizeof rows_jsonl - 1, read_history, false, 30 },
};

/* Cut anywhere, and with a bit of any byte turned, a file is read or refused with one line. */
START_TEST(damaged_text_is_read_or_refused)
{
    const struct damaged *d = &files[_i];
    char whole[1024], bytes[1024];
    (d->packed ? scratch_write_gzip : scratch_write)("whole", d->text, d->bytes);
    FILE *file = fopen("whole", "rb");
    const size_t count = fread(whole, 1, sizeof whole, file);
    fclose(file);
    ck_assert_msg(d->read("whole"), "%s: %s", d->what, lg_error());
    size_t refused = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        memcpy(bytes, whole, count);
        if (i >= count)
            bytes[i - count] ^= (char)(1 << i % 8);
        scratch_write("t", bytes, i < count ? i : count);
        lg_error_clear();
        const bool read = d->read("t");
        ck_assert_msg(read || (lg_error()[0] && !strchr(lg_error(), '\n')), "%s, %zu: %s", d->what, i, lg_error());
        refused += !read;
    }
    ck_assert_msg(refused >= d->least_refused, "%s: %zu were refused", d->what, refused);
}
END_TEST

/* [2684354560] of f4 are 10 GB; the file has 1 KB, and if it is packed only its end tells. */
START_TEST(ten_gigabytes_in_a_kilobyte_are_refused)
{
    char bytes[1024] = "\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2684354560,), }";
    memset(bytes + strlen(bytes + 10) + 10, ' ', 128 - 11 - strlen(bytes + 10));
    bytes[127] = '\n';
    scratch_write("t.npy", bytes, sizeof bytes);
    ck_assert_ptr_null(lg_dataset_read("t.npy", NULL));
    ck_assert_str_eq(lg_error(), "t.npy: 2684354560 f4 after a header of 128 bytes make 10737418368 bytes, but the file has "
                                 "1024");
    scratch_write_gzip("packed", bytes, sizeof bytes);
    ck_assert_ptr_null(lg_dataset_read("packed", NULL));
    ck_assert_str_eq(lg_error(), "packed: 2684354560 f4 after a header of 128 bytes make 10737418368 bytes, but the file has "
                                 "1024");
    ck_assert_ptr_null(lg_npy_read("packed", LG_REAL));
    ck_assert_int_eq(lg_error_code(), LG_E_FORMAT);
}
END_TEST

Suite *faults_suite(void)
{
    Suite *suite = suite_create("faults");
    TCase *around = tcase_create("programs"), *damage = tcase_create("files");
    tcase_add_checked_fixture(around, setup, program_teardown);
    tcase_add_checked_fixture(damage, scratch_enter, scratch_leave);
    tcase_set_timeout(around, 30);
    tcase_add_test(around, a_folder_that_cannot_be_written_to_is_said);
    tcase_add_test(around, a_folder_that_vanishes_ends_the_run_with_a_sentence);
    tcase_add_test(around, a_file_system_that_fills_up_ends_the_run_with_a_sentence);
    tcase_add_test(around, sigterm_leaves_whole_files_and_is_what_it_dies_of);
    tcase_add_loop_test(damage, damaged_text_is_read_or_refused, 0, (int)(sizeof files / sizeof *files));
    tcase_add_test(damage, ten_gigabytes_in_a_kilobyte_are_refused);
    suite_add_tcase(suite, around);
    suite_add_tcase(suite, damage);
    return suite;
}
