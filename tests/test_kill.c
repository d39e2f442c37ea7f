/* Training that is killed and gone on with, as whole programs: whenever the kill comes, there are a whole checkpoint (or
 * none yet) and a whole history, and the run that goes on from them leaves what the undisturbed one leaves.
 * LG_TEST_KILLS says how often (`make test-long`: 200). */
#include "program.h"
#include "support.h"

#include <check.h>
#include <fcntl.h>
#include <luge.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FRAUD "fraud --data small.csv --target fraud --hidden 8 --batch-size 16 --epochs 24 --early-stopping 20"
#define FRAUD_RUN "$bin/" FRAUD " --verbose 0 "
#define MOST_WORDS 40

static lg_rng rng;

static void setup(void)
{
    program_setup();
    rng = lg_rng_seed(11);
    lg_rng values = lg_rng_seed(7);
    char text[16384] = "a,b,fraud\n";
    size_t used = strlen(text);
    for (int i = 0; i < 300; i++) {
        const double shift = i % 10 == 0 ? 1.4 : 0;
        used += (size_t)snprintf(text + used, sizeof text - used, "%.4f,%.4f,%d\n", lg_rng_normal(&values) + shift,
                                 lg_rng_normal(&values) - shift, i % 10 == 0);
    }
    program_write("small.csv", text);
}

static size_t kills(size_t usual)
{
    const char *wanted = getenv("LG_TEST_KILLS");
    return wanted ? (size_t)atoi(wanted) : getenv("LG_TEST_LIGHT") ? 2 : usual;
}

/* -------------------------------------------------------------- processes */

/* Starts a program of the build directory in the scratch folder, without gnuplot, whose pictures take long. */
static pid_t start(const char *command)
{
    char text[512], path[512], *words[MOST_WORDS + 1] = { NULL };
    snprintf(text, sizeof text, "%s", command);
    size_t count = 0;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        ck_assert_uint_lt(count, MOST_WORDS);
        words[count++] = word;
    }
    snprintf(path, sizeof path, "%s/%s", test_build_dir(), words[0]);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    const int out = open(program_path("killed.out"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir(program_path(".")) < 0)
        _exit(99);
    setenv("PATH", "/nowhere", 1);
    execv(path, words);
    _exit(99);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void wait_for(double seconds)
{
    nanosleep(&(struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds)) },
              NULL);
}

/* True when the kill came before the program's own end. */
static bool kill_it(pid_t child)
{
    int status;
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return true;
    ck_assert_msg(WEXITSTATUS(status) == 0, "exit status %d: %s", WEXITSTATUS(status), program_file("killed.out"));
    return false;
}

static void run_to_the_end(const char *command)
{
    int status;
    const pid_t child = start(command);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %d: %s", command, status,
                  program_file("killed.out"));
}

/* ----------------------------------------------------------------- results */

/* "folder/file" */
static const char *inside(const char *folder, const char *file)
{
    static char names[4][64];
    static size_t next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "%s/%s", folder, file);
    return name;
}

/* Removes from the text of a history what follows the last comma of each line: the seconds. */
static char *without_seconds(const char *text)
{
    char *kept = calloc(strlen(text) + 1, 1);
    size_t used = 0;
    while (*text) {
        const char *end = strchr(text, '\n');
        ck_assert_msg(end != NULL, "the last row is cut: %s", text);
        size_t length = (size_t)(end - text);
        while (length > 0 && text[length - 1] != ',')
            length--;
        memcpy(kept + used, text, length);
        used += length;
        kept[used++] = '\n';
        text = end + 1;
    }
    return kept;
}

static void assert_same_history(const char *file, const char *a, const char *b)
{
    char *first = without_seconds(program_file(inside(a, file))), *second = without_seconds(program_file(inside(b, file)));
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
}

/* Every tensor of two safetensors files but the seconds. */
static void assert_same_tensors(const char *file, const char *folder_a, const char *folder_b)
{
    lg_safetensors *a = lg_safetensors_open(program_path(inside(folder_a, file)));
    ck_assert_msg(a != NULL, "%s", lg_error());
    lg_safetensors *b = lg_safetensors_open(program_path(inside(folder_b, file)));
    ck_assert_msg(b != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_safetensors_count(a), lg_safetensors_count(b));
    for (size_t i = 0; i < lg_safetensors_count(a); i++) {
        const lg_file_tensor *x = lg_safetensors_at(a, i), *y = lg_safetensors_find(b, x->name);
        ck_assert_msg(y && x->bytes == y->bytes, "%s", x->name);
        char *of_x = calloc(x->bytes + 1, 1), *of_y = calloc(x->bytes + 1, 1);
        ck_assert_int_eq(lg_safetensors_read_bytes(a, x, of_x), LG_OK);
        ck_assert_int_eq(lg_safetensors_read_bytes(b, y, of_y), LG_OK);
        ck_assert_msg(strcmp(x->name, "history/seconds") == 0 || memcmp(of_x, of_y, x->bytes) == 0, "%s: %s differs",
                      file, x->name);
        free(of_x);
        free(of_y);
    }
    lg_safetensors_close(a);
    lg_safetensors_close(b);
}

static void assert_same_runs(const char *a, const char *b)
{
    assert_same_history("history.csv", a, b);
    assert_same_history("history.jsonl", a, b);
    assert_same_tensors("checkpoint.safetensors", a, b);
    ck_assert_int_eq(program_has(inside(a, "model.safetensors")), program_has(inside(b, "model.safetensors")));
    if (program_has(inside(a, "model.safetensors")))
        assert_same_tensors("model.safetensors", a, b);
    if (program_has(inside(a, "predictions.csv")))
        ck_assert_str_eq(program_file(inside(a, "predictions.csv")), program_file(inside(b, "predictions.csv")));
}

/* After a kill: the checkpoint is whole, the history has whole rows, at least those of the checkpoint, and nothing else
 * has its final name unless it is whole. True if there is a checkpoint. */
static bool assert_whole(const char *folder)
{
    size_t rows = 0;
    if (program_has(inside(folder, "history.csv"))) {
        lg_history *history = lg_history_read(program_path(inside(folder, "history.csv")));
        ck_assert_msg(history != NULL, "%s", lg_error());
        rows = lg_history_rows(history);
        lg_history_free(history);
    }
    if (!program_has(inside(folder, "checkpoint.safetensors")))
        return false;
    lg_safetensors *file = lg_safetensors_open(program_path(inside(folder, "checkpoint.safetensors")));
    ck_assert_msg(file != NULL, "%s", lg_error());
    ck_assert_uint_le((size_t)atoi(lg_safetensors_metadata(file, "epoch")), rows);
    lg_safetensors_close(file);
    return true;
}

/* ------------------------------------------------------------------- tests */

START_TEST(a_run_that_is_killed_at_any_moment_goes_on_to_the_same_end)
{
    const double began = now();
    run_to_the_end(FRAUD " --verbose 0 --save-every 1 --out whole");
    double span = now() - began; /* in which kills come; it adapts, since a machine is not always as busy */
    size_t killed = 0, resumed = 0;
    const size_t times = kills(20);
    for (size_t i = 0; i < times; i++) {
        ck_assert_int_eq(program_run("rm -rf r"), 0);
        bool has_checkpoint = false;
        for (int again = 0; again < 3; again++) { /* a run that goes on may be killed as well */
            const pid_t child = start(has_checkpoint ? FRAUD " --verbose 0 --save-every 1 --resume r"
                                                     : FRAUD " --verbose 0 --save-every 1 --out r --overwrite");
            wait_for(span * lg_rng_uniform(&rng));
            const bool in_time = kill_it(child);
            killed += in_time;
            has_checkpoint = assert_whole("r");
            span *= !in_time ? 0.8 : has_checkpoint ? 1 : 1.2;
        }
        resumed += has_checkpoint;
        run_to_the_end(has_checkpoint ? FRAUD " --verbose 0 --save-every 1 --resume r"
                                      : FRAUD " --verbose 0 --save-every 1 --out r --overwrite");
        assert_same_runs("whole", "r");
    }
    ck_assert_uint_ge(killed, times / 2);
    ck_assert_uint_ge(resumed, times / 2);
}
END_TEST

static const char *const trainers[] = {
    "fraud --data small.csv --target fraud --stream --shuffle-buffer 256 --epochs 12",
    "svm --epochs 12",
    "quantile --epochs 8",
    "siamese --epochs 4 --pairs 300",
    "triplet --epochs 3",
    "vae --epochs 4 --beta-warmup 6",
    "ctc --epochs 4 --lines 48 --hidden 16 --beam 1",
};

/* Each is killed when its first checkpoint is there, or some time after. */
START_TEST(every_trainer_goes_on_to_the_same_end)
{
    char command[256];
    const double began = now();
    snprintf(command, sizeof command, "%s --verbose 0 --save-every 1 --out whole", trainers[_i]);
    run_to_the_end(command);
    const double whole = now() - began;
    for (size_t i = 0; i < (getenv("LG_TEST_KILLS") ? 4 : 1); i++) {
        ck_assert_int_eq(program_run("rm -rf r"), 0);
        snprintf(command, sizeof command, "%s --verbose 0 --save-every 1 --out r", trainers[_i]);
        const pid_t child = start(command);
        for (double waited = now(); !program_has("r/checkpoint.safetensors") && now() - waited < 100 * whole;)
            wait_for(0.0005);
        wait_for(0.2 * whole * (double)i * lg_rng_uniform(&rng));
        kill_it(child);
        ck_assert(assert_whole("r"));
        snprintf(command, sizeof command, "%s --verbose 0 --save-every 1 --resume r", trainers[_i]);
        run_to_the_end(command);
        assert_same_runs("whole", "r");
    }
}
END_TEST

START_TEST(another_command_line_is_refused_with_what_differs)
{
    ck_assert_int_eq(program_run("cp small.csv other.csv && " FRAUD_RUN "--save-every 5 --out r && cp r/run.json before"), 0);
    static const struct { const char *arguments, *words; } cases[] = {
        { FRAUD_RUN "--hidden 9", "arguments.hidden was [8] then, and is [9] now" },
        { FRAUD_RUN "--data other.csv", "arguments.data was \"small.csv\" then, and is \"other.csv\" now" },
        { FRAUD_RUN "--seed 1", "seed was 42 then, and is 1 now" },
        { FRAUD_RUN "--lr 0.5", "arguments.learning_rate was 0.003 then, and is 0.5 now" },
        { FRAUD_RUN "--optimizer sgd", "optimizer was adam then, and is sgd now" },
        { "sed -i '$d' small.csv && " FRAUD_RUN, "training rows was 180 then, and is 179 now" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(program_run("%s --resume r", cases[i].arguments), 1);
        const char *message = program_file("err");
        ck_assert_msg(strstr(message, cases[i].words) && strstr(message, "fraud: r/checkpoint.safetensors: "), "%s",
                      message);
        ck_assert_uint_eq(count_lines(message), 1);
        ck_assert_str_eq(program_file("before"), program_file("r/run.json"));
    }
}
END_TEST

START_TEST(a_run_goes_on_in_its_folder_or_from_a_file_to_more_epochs)
{
    ck_assert_int_eq(program_run(FRAUD_RUN "--save-every 5 --out r --epochs 7"), 0);
    ck_assert_uint_eq(count_lines(program_file("r/history.csv")), 8);
    ck_assert_int_eq(program_run(FRAUD_RUN "--save-every 5 --resume r --epochs 9"), 0);
    ck_assert_uint_eq(count_lines(program_file("r/history.csv")), 10);
    ck_assert_int_eq(program_run("cd r && " FRAUD_RUN "--data ../small.csv --resume checkpoint.safetensors --epochs 11"), 1);
    ck_assert_int_eq(program_run(FRAUD_RUN "--resume r/checkpoint.safetensors --epochs 11"), 0);
    ck_assert_uint_eq(count_lines(program_file("r/history.csv")), 12);
    ck_assert_ptr_nonnull(strstr(program_file("r/run.json"), "\"resumed_from\": \"r/checkpoint.safetensors\""));
    ck_assert_ptr_nonnull(strstr(program_file("r/run.json"), "\"status\": \"finished\""));
}
END_TEST

START_TEST(what_cannot_be_resumed_is_said)
{
    ck_assert_int_eq(program_run(FRAUD_RUN "--out r --epochs 1"), 0);
    ck_assert(!program_has("r/checkpoint.safetensors"));
    ck_assert_int_eq(program_run(FRAUD_RUN "--resume r"), 1);
    ck_assert_str_eq(program_file("err"), "fraud: r/checkpoint.safetensors: No such file or directory\n");
    ck_assert_int_eq(program_run(FRAUD_RUN "--resume nowhere"), 1);
    ck_assert_str_eq(program_file("err"), "fraud: nowhere: No such file or directory\n");
    ck_assert_int_eq(program_run(FRAUD_RUN "--resume r --out r"), 2);
    ck_assert_int_eq(program_run(FRAUD_RUN "--resume r --overwrite"), 2);
    ck_assert_int_eq(program_run(FRAUD_RUN "--save-every 0"), 2);
    program_write("r/checkpoint.safetensors", "nonsense");
    ck_assert_int_eq(program_run(FRAUD_RUN "--resume r"), 1);
    ck_assert_uint_eq(count_lines(program_file("err")), 1);
}
END_TEST

/* A folder whose checkpoint cannot be written: the run says so and ends with 1, and what was there stays. */
START_TEST(a_full_disk_ends_the_run_and_keeps_the_checkpoint)
{
    ck_assert_int_eq(program_run(FRAUD_RUN "--save-every 1 --out r --epochs 1 && cp r/checkpoint.safetensors first"), 0);
    ck_assert_int_eq(program_run("trap '' XFSZ; ulimit -f $(($(wc -c < first) / 512)); " FRAUD_RUN "--save-every 1 --resume r"), 1);
    const char *message = program_file("err");
    ck_assert_msg(strstr(message, "checkpoint.safetensors: cannot be written: ") != NULL, "%s", message);
    ck_assert_uint_eq(count_lines(message), 1);
    ck_assert(assert_whole("r"));
    run_to_the_end(FRAUD " --verbose 0 --save-every 1 --out whole");
    run_to_the_end(FRAUD " --verbose 0 --save-every 1 --resume r");
    assert_same_runs("whole", "r");
}
END_TEST

Suite *kill_suite(void)
{
    Suite *suite = suite_create("kill");
    TCase *killed = tcase_create("killed"), *command = tcase_create("command line");
    tcase_add_checked_fixture(killed, setup, program_teardown);
    tcase_add_checked_fixture(command, setup, program_teardown);
    tcase_set_timeout(killed, 120);
    tcase_add_test(killed, a_run_that_is_killed_at_any_moment_goes_on_to_the_same_end);
    tcase_add_loop_test(killed, every_trainer_goes_on_to_the_same_end, 0, sizeof trainers / sizeof *trainers);
    tcase_add_test(killed, a_full_disk_ends_the_run_and_keeps_the_checkpoint);
    tcase_add_test(command, another_command_line_is_refused_with_what_differs);
    tcase_add_test(command, a_run_goes_on_in_its_folder_or_from_a_file_to_more_epochs);
    tcase_add_test(command, what_cannot_be_resumed_is_said);
    suite_add_tcase(suite, killed);
    suite_add_tcase(suite, command);
    return suite;
}
