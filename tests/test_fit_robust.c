/* How lg_fit behaves: errors and their messages, files, signals, memory, reproducibility, and what it shows. */
#include "fail_alloc.h"
#include "fit_support.h"
#include "support.h"

#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A net with all that training can meet: dropout, a hidden layer, three kinds of reports. */
typedef struct net {
    lg_params *params;
    lg_dense *hidden, *out;
    lg_optimizer *optimizer;
    size_t steps, raise_at, raise_times; /* signals sent to itself */
    double nan_from;                     /* step from which a logarithm is taken of a negative number */
} net;

static bool net_new(net *n)
{
    lg_rng rng = lg_rng_seed(9);
    *n = (net){ .params = lg_params_new() };
    n->hidden = lg_dense_new(n->params, "hidden", 4, 8, &rng);
    n->out = lg_dense_new(n->params, "out", 8, 1, &rng);
    n->optimizer = lg_adam_new(n->params, &(lg_adam_options){ .learning_rate = 0.01 });
    return n->optimizer != NULL;
}

static void net_free(net *n)
{
    lg_optimizer_free(n->optimizer);
    lg_params_free(n->params);
}

static lg_tensor *net_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    net *n = model;
    lg_tensor *x = lg_batch_x(tape, batch), *y = lg_batch_y(tape, batch);
    lg_tensor *h = lg_dropout(tape, lg_tanh(tape, lg_dense_apply(tape, n->hidden, x)), 0.25);  /* [batch, 8] */
    lg_tensor *logits = lg_dense_apply(tape, n->out, h);                                       /* [batch, 1] */
    lg_report_accuracy(tape, logits, y);
    lg_report_binary(tape, logits, y);
    lg_report_scores(tape, logits, y);
    lg_tensor *loss = lg_binary_crossentropy(tape, logits, y, &(lg_loss_options){ .from_logits = true });
    if (++n->steps == n->raise_at)
        for (size_t i = 0; i < n->raise_times; i++)
            raise(SIGINT);
    if (n->nan_from > 0 && (double)n->steps >= n->nan_from)
        loss = lg_log(tape, lg_neg(tape, lg_exp(tape, loss)));
    return loss;
}

static lg_tensor *digits_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    net *n = model;
    lg_tensor *y = lg_batch_y(tape, batch);                                                    /* [batch] classes */
    lg_tensor *h = lg_tanh(tape, lg_dense_apply(tape, n->hidden, lg_batch_x(tape, batch)));    /* [batch, 32] */
    lg_tensor *logits = lg_dense_apply(tape, n->out, h);                                       /* [batch, 10] */
    lg_report_accuracy(tape, logits, y);
    return lg_sparse_categorical_crossentropy(tape, logits, y, &(lg_loss_options){ .from_logits = true });
}

/* ------------------------------------------------------------ reproducibility */

/* Both columns are as long, and, but for seconds, equal in every bit. */
static bool same_histories(const lg_history *a, const lg_history *b)
{
    bool same = lg_history_rows(a) == lg_history_rows(b) && lg_history_column_count(a) == lg_history_column_count(b);
    for (size_t i = 0; same && i < lg_history_column_count(a); i++) {
        const char *name = lg_history_column_name(a, i);
        same = strcmp(name, lg_history_column_name(b, i)) == 0 &&
               (strcmp(name, "seconds") == 0 ||
                memcmp(lg_history_column(a, name, NULL), lg_history_column(b, name, NULL),
                       lg_history_rows(a) * sizeof(double)) == 0);
    }
    return same;
}

static lg_history *run_with_seed(const lg_dataset *data, uint64_t seed, lg_real *first_weight)
{
    net n;
    ck_assert(net_new(&n));
    lg_fit_options options = quiet(5, 16);
    options.seed = seed;
    options.validation_split = 0.25;
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    *first_weight = lg_tensor_data(lg_dense_weight(n.hidden))[0];
    net_free(&n);
    return history;
}

START_TEST(one_seed_gives_one_history_and_another_another)
{
    lg_dataset *data = points_new(90, 4, true, 2);
    lg_real weight[3];
    lg_history *first = run_with_seed(data, 5, weight), *again = run_with_seed(data, 5, weight + 1);
    lg_history *other = run_with_seed(data, 6, weight + 2);
    ck_assert(same_histories(first, again) && !same_histories(first, other));
    ck_assert(memcmp(weight, weight + 1, sizeof *weight) == 0 && memcmp(weight, weight + 2, sizeof *weight) != 0);
    const char *names[] = { "epoch", "loss", "accuracy", "precision", "recall", "f1", "roc_auc", "average_precision",
                            "val_loss", "val_accuracy", "val_precision", "val_recall", "val_f1", "val_roc_auc",
                            "val_average_precision", "learning_rate", "seconds" };
    ck_assert_uint_eq(lg_history_column_count(first), sizeof names / sizeof *names);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_str_eq(lg_history_column_name(first, i), names[i]);
    lg_history_free(first);
    lg_history_free(again);
    lg_history_free(other);
    lg_dataset_free(data);
}
END_TEST

/* The network of examples/digits.c on the data of the repository, with its settings: the loss goes below 0.2 and the
 * validation accuracy above 0.9 (0.087 and 0.98 where this was written). */
START_TEST(digits_are_learnt)
{
    char path[512];
    snprintf(path, sizeof path, "%s/data/digits.csv.gz", test_source_dir());
    lg_dataset *digits = lg_dataset_read_csv(path, &(lg_csv_options){ .target = "-1", .target_kind = LG_CLASSES });
    ck_assert_msg(digits != NULL, "%s", lg_error());
    lg_rng rng = lg_rng_seed(42);
    net n = { .params = lg_params_new() };
    n.hidden = lg_dense_new(n.params, "hidden", 64, 32, &rng);
    n.out = lg_dense_new(n.params, "out", 32, 10, &rng);
    n.optimizer = lg_adam_new(n.params, &(lg_adam_options){ .learning_rate = 1e-3 });
    lg_fit_options options = quiet(20, 32);
    options.validation_split = 0.2;
    lg_history *history = lg_fit(digits_step, &n, n.optimizer, digits, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_double_lt(lg_history_last(history, "loss"), 0.2);
    ck_assert_double_gt(lg_history_last(history, "val_accuracy"), 0.9);
    lg_history_free(history);
    net_free(&n);
    lg_dataset_free(digits);
}
END_TEST

/* ------------------------------------------------------------------ memory */

static lg_status count_from_second_epoch(size_t epoch, const lg_history *history, void *context)
{
    (void)history;
    size_t *allocations = context;
    if (epoch == 2)
        fail_alloc_at(0);
    if (epoch == 30) {
        *allocations = fail_alloc_count();
        fail_alloc_off();
    }
    return LG_OK;
}

START_TEST(steps_and_epochs_allocate_nothing_after_the_first)
{
    lg_dataset *data = points_new(90, 4, true, 2);
    net n;
    ck_assert(net_new(&n));
    size_t allocations = 999;
    lg_schedule schedule = lg_schedule_exponential(0.99);
    lg_fit_options options = quiet(31, 16);
    options.validation_split = 0.25;
    options.clip_norm = 1;
    options.accumulate = 2 * (size_t)_i; /* without, and with */
    options.schedule = &schedule;
    options.early_stopping.patience = 31;
    options.history_path = in_folder("h.csv");
    options.callback = count_from_second_epoch;
    options.context = &allocations;
    FILE *stream = fopen("/dev/null", "w");
    options.stream = stream;
    options.verbose = LG_LINES;
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &options);
    fail_alloc_off();
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_uint_eq(allocations, 0);
    lg_history_free(history);
    fclose(stream);
    net_free(&n);
    lg_dataset_free(data);
}
END_TEST

static lg_status whole_program(void *context)
{
    (void)context;
    lg_real x[48], y[12];
    for (size_t i = 0; i < 48; i++)
        x[i] = (lg_real)(i % 7) - 3;
    for (size_t i = 0; i < 12; i++)
        y[i] = i % 3 == 0;
    lg_error_clear();
    net n;
    lg_dataset *data = lg_dataset_from_arrays(12, 4, x, y);
    net_new(&n);
    lg_schedule schedule = lg_schedule_plateau(0.5, 1);
    lg_fit_options options = quiet(2, 4);
    options.validation_split = 0.25;
    options.schedule = &schedule;
    options.early_stopping.patience = 2;
    options.class_weight = (lg_real[]){ 1, 2 };
    options.class_weight_count = 2;
    options.history_path = in_folder("h.csv");
    options.handle_signals = true;
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &options);
    lg_history *evaluation = history ? lg_evaluate(net_step, &n, data, &options) : NULL;
    const lg_status status = evaluation ? LG_OK : lg_error_code();
    lg_history_free(evaluation);
    lg_history_free(history);
    net_free(&n);
    lg_dataset_free(data);
    return status;
}

START_TEST(running_out_of_memory_anywhere_is_an_error)
{
    ck_assert_uint_gt(for_each_allocation_failure(whole_program, NULL), 50);
}
END_TEST

/* ------------------------------------------------------------------ errors */

START_TEST(what_went_wrong_first_is_what_is_told)
{
    net n;
    ck_assert(net_new(&n));
    lg_error_clear();
    lg_dataset *data = lg_dataset_read_csv("/nowhere/digits.csv", NULL);
    lg_optimizer *optimizer = lg_adam_new(NULL, NULL);
    char message[256];
    snprintf(message, sizeof message, "%s", lg_error());
    ck_assert_msg(strstr(message, "/nowhere/digits.csv") != NULL, "%s", message);
    ck_assert_ptr_null(lg_fit(net_step, &n, optimizer, data, NULL));
    ck_assert_str_eq(lg_error(), message);
    lg_error_clear();
    ck_assert_ptr_null(lg_fit(net_step, &n, NULL, data, NULL));
    ck_assert_str_eq(lg_error(), "lg_fit: the optimizer is NULL");
    lg_error_clear();
    ck_assert_ptr_null(lg_evaluate(net_step, &n, NULL, NULL));
    ck_assert_str_eq(lg_error(), "lg_evaluate: the data set is NULL");
    lg_error_clear();
    ck_assert_ptr_null(lg_predict(NULL, &n, NULL, NULL));
    ck_assert_str_eq(lg_error(), "lg_predict: the step function is NULL");
    net_free(&n);
}
END_TEST

START_TEST(options_are_checked)
{
    lg_dataset *data = points_new(20, 4, true, 2);
    const lg_schedule bad = { .kind = LG_SCHEDULE_STEP };
    const struct { lg_fit_options options; const char *message; } cases[] = {
        { { .validation_split = 1 }, "validation_split is 1" },
        { { .validation_split = NAN }, "validation_split is nan" },
        { { .validation_split = 0.1, .validation = data }, "not both" },
        { { .clip_norm = -1 }, "clip_norm is -1" },
        { { .clip_value = NAN }, "clip_value is nan" },
        { { .class_weight = (lg_real[]){ 1 } }, "class_weight_count is 0" },
        { { .class_weight = (lg_real[]){ 1, -2 }, .class_weight_count = 2 }, "class 1 is -2" },
        { { .early_stopping = { .patience = 1, .min_delta = -1 } }, "min_delta is -1" },
        { { .early_stopping = { .patience = 1, .mode = (lg_monitor_mode)7 } }, "mode is 7" },
        { { .verbose = (lg_verbose)9 }, "verbose is 9" },
        { { .schedule = &bad }, "schedule" },
        { { .history_path = "/nowhere/h.csv" }, "/nowhere/h.csv: " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        net n;
        ck_assert(net_new(&n));
        lg_error_clear();
        lg_fit_options options = cases[i].options;
        options.verbose = options.verbose ? options.verbose : LG_SILENT;
        ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &options));
        ck_assert_msg(lg_error_code() < 0 && strstr(lg_error(), cases[i].message), "%zu: %s", i, lg_error());
        ck_assert_uint_eq(n.steps, 0);
        net_free(&n);
    }
    lg_dataset_free(data);
}
END_TEST

START_TEST(a_nan_is_told_with_its_place_and_its_operation)
{
    lg_dataset *data = points_new(40, 4, true, 2);
    net n;
    ck_assert(net_new(&n));
    n.nan_from = 7; /* three steps an epoch: the first of epoch 3 */
    lg_fit_options options = quiet(5, 16);
    options.history_path = in_folder("nan.csv");
    ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &options));
    ck_assert_int_eq(lg_error_code(), LG_E_NAN);
    ck_assert_msg(strstr(lg_error(), "lg_fit: the loss is NaN in epoch 3, step 1: log #") &&
                      strstr(lg_error(), "is the first operation with"), "%s", lg_error());
    lg_history *history = lg_history_read(in_folder("nan.csv"));
    ck_assert_uint_eq(lg_history_rows(history), 2);
    lg_history_free(history);
    net_free(&n);

    ck_assert(net_new(&n));
    n.nan_from = 4; /* two of 20 training rows, then validation */
    options = quiet(1, 16);
    options.validation_split = 0.5;
    ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &options));
    ck_assert_msg(strstr(lg_error(), "lg_fit: val_loss is NaN after epoch 1, in batch 2: log #"), "%s",
                  lg_error());
    net_free(&n);
    lg_dataset_free(data);
}
END_TEST

static lg_tensor *null_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    lg_tensor *x = lg_batch_x(tape, batch);
    const int kind = *(int *)model;
    if (kind == 0)
        return NULL;
    if (kind == 1)
        return lg_mean(tape, lg_matmul(tape, x, x)); /* [20, 4] x [20, 4] */
    if (kind == 2)
        return x;
    if (kind == 3)
        return lg_mean(tape, lg_batch_field(tape, batch, "z"));
    if (kind == 4)
        lg_report(tape, "a,b", 1, 1);
    return lg_mean(tape, x);
}

static const char *const null_messages[] = {
    "lg_fit: the step function returned NULL and said nothing",
    "matmul: [20, 4] x [20, 4]",
    "lg_fit: the step function returned a tensor [20, 4]; a loss of one real element is wanted",
    "lg_batch_field: the data set has no field \"z\"",
    "lg_report: \"a,b\" is no column name",
    "lg_backward: nothing that the root depends on requires a gradient",
};

START_TEST(a_step_that_fails_ends_training_with_its_message)
{
    lg_dataset *data = points_new(20, 4, true, 2);
    net n;
    ck_assert(net_new(&n));
    lg_error_clear();
    lg_fit_options options = quiet(3, 20);
    ck_assert_ptr_null(lg_fit(null_step, &(int){ _i }, n.optimizer, data, &options));
    ck_assert_msg(strstr(lg_error(), null_messages[_i]) != NULL, "%s", lg_error());
    net_free(&n);
    lg_dataset_free(data);
}
END_TEST

/* ------------------------------------------------------------------- files */

START_TEST(the_file_says_what_the_history_does)
{
    lg_dataset *data = points_new(90, 4, true, 2);
    net n;
    ck_assert(net_new(&n));
    lg_fit_options options = quiet(4, 16);
    options.validation_split = 0.2;
    options.history_path = in_folder(_i ? "h.jsonl" : "h.csv");
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    lg_history *back = lg_history_read(options.history_path);
    ck_assert_msg(back != NULL, "%s", lg_error());
    ck_assert(same_histories(history, back) && lg_history_rows(back) == 4);
    ck_assert(lg_history_last(back, "seconds") == lg_history_last(history, "seconds"));
    lg_history_free(back);
    lg_history_free(history);
    net_free(&n);
    lg_dataset_free(data);
}
END_TEST

START_TEST(a_full_disk_stops_training)
{
    lg_dataset *data = points_new(40, 4, true, 2);
    net n;
    ck_assert(net_new(&n));
    lg_fit_options options = quiet(4, 16);
    options.history_path = "/dev/full";
    ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &options));
    ck_assert_int_eq(lg_error_code(), LG_E_IO);
    ck_assert_str_eq(lg_error(), "/dev/full: the history cannot be written: No space left on device");
    ck_assert_uint_eq(n.steps, 3); /* of the first epoch */
    net_free(&n);
    lg_dataset_free(data);
}
END_TEST

/* ----------------------------------------------------------------- signals */

/* In a process of its own: trains, sends itself SIGINT in step 8 (of three an epoch), and ends as a program should;
 * its exit status tells what was not as it should be. */
static void interrupted_child(const char *path, size_t signals, bool handle)
{
    net n;
    lg_dataset *data = points_new(40, 4, true, 2);
    if (!net_new(&n))
        _exit(10);
    n.raise_at = 8;
    n.raise_times = signals;
    lg_fit_options options = quiet(50, 16);
    options.history_path = path;
    options.handle_signals = handle;
    signal(SIGINT, SIG_DFL);
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &options);
    struct sigaction now;
    sigaction(SIGINT, NULL, &now);
    if (!history || lg_history_signal(history) != SIGINT || lg_history_stop(history) != LG_STOP_SIGNAL)
        _exit(11);
    if (n.steps != 8 || lg_history_rows(history) != 2 || now.sa_handler != SIG_DFL)
        _exit(12);
    raise(lg_history_signal(history));
    _exit(13);
}

START_TEST(an_interrupted_training_ends_whole_and_dies_of_the_signal)
{
    const size_t signals = _i == 1 ? 2 : 1;
    const char *path = in_folder("i.csv");
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        interrupted_child(path, signals, _i < 2);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "status %x", (unsigned)status);
    lg_history *history = lg_history_read(path);
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_history_rows(history), 2);
    lg_history_free(history);
}
END_TEST

static volatile sig_atomic_t seen;

static void see(int number)
{
    seen = number;
}

START_TEST(handlers_are_put_back_and_left_alone)
{
    lg_dataset *data = points_new(40, 4, true, 2);
    struct sigaction mine = { .sa_handler = _i ? SIG_IGN : see }, before, now;
    seen = 0;
    sigaction(SIGINT, &mine, &before);
    net n;
    ck_assert(net_new(&n));
    n.raise_at = 2;
    n.raise_times = 1;
    lg_fit_options options = quiet(2, 16);
    options.handle_signals = true;
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &options);
    /* An ignored signal stays ignored; one with a handler is ours while training lasts. */
    ck_assert_int_eq(lg_history_signal(history), _i ? 0 : SIGINT);
    ck_assert_uint_eq(lg_history_rows(history), _i ? 2 : 0);
    sigaction(SIGINT, NULL, &now);
    ck_assert(now.sa_handler == mine.sa_handler && seen == 0);
    lg_history_free(history);
    options.handle_signals = false;
    n.steps = 0;
    history = lg_fit(net_step, &n, n.optimizer, data, &options);
    ck_assert(lg_history_rows(history) == 2 && seen == (_i ? 0 : SIGINT));
    lg_history_free(history);
    sigaction(SIGINT, &before, NULL);
    net_free(&n);
    lg_dataset_free(data);
}
END_TEST

/* ---------------------------------------------------------------- what is shown */

START_TEST(a_pipe_shows_a_line_per_epoch)
{
    char *text = NULL;
    size_t bytes;
    lg_dataset *data = points_new(40, 4, true, 2);
    net n;
    ck_assert(net_new(&n));
    lg_schedule schedule = lg_schedule_exponential(0.5);
    lg_fit_options options = { .epochs = 2, .batch_size = 16, .validation = data, .schedule = &schedule };
    options.stream = open_memstream(&text, &bytes);
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    fclose(options.stream);
    char expected[512], *rest = strchr(text, '\n') + 1;
    const char *shown[] = { "loss", "accuracy", "val_loss", "val_roc_auc", "learning_rate" };
    ck_assert_msg(strncmp(text, "Epoch 1/2 - ", 12) == 0 && strncmp(rest, "Epoch 2/2 - ", 12) == 0, "%s", text);
    ck_assert(strchr(rest, '\n') == rest + strlen(rest) - 1 && !strchr(text, '\r'));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        snprintf(expected, sizeof expected, " - %s: %.4f", shown[i], lg_history_last(history, shown[i]));
        ck_assert_msg(strstr(rest, expected) != NULL, "%s not in %s", expected, rest);
    }
    ck_assert(!strstr(text, "seconds"));
    free(text);
    lg_history_free(history);
    net_free(&n);
    lg_dataset_free(data);
}
END_TEST

START_TEST(a_terminal_shows_bars_and_errors_stand_on_their_own_line)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    ioctl(master, TIOCSWINSZ, &(struct winsize){ .ws_row = 20, .ws_col = 79 });
    FILE *stream = fopen(ptsname(master), "w");
    ck_assert_ptr_nonnull(stream);
    setenv("TERM", "xterm", 1);
    lg_dataset *data = points_new(40, 4, true, 2);
    net n;
    ck_assert(net_new(&n));
    n.nan_from = 5;
    lg_fit_options options = { .epochs = 2, .batch_size = 16, .stream = stream };
    ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &options));
    fclose(stream);
    char text[8192] = "";
    size_t got = 0;
    /* A terminal hands over what has arrived so far; when the other side is closed and all is read, -1. */
    for (ssize_t more; (more = read(master, text + got, sizeof text - 1 - got)) > 0;)
        got += (size_t)more;
    ck_assert_uint_gt(got, 0);
    const char first[] = "Epoch 1/2\r\n\r1/3 [=========>....................] - ETA: "; /* on a busy machine not 0s */
    ck_assert_msg(strncmp(text, first, strlen(first)) == 0, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "\r3/3 [==============================] - "));
    ck_assert_ptr_nonnull(strstr(text, "Epoch 2/2\r\n"));
    ck_assert_msg(text[got - 1] == '\n', "%s", text);
    close(master);
    net_free(&n);
    lg_dataset_free(data);
}
END_TEST

Suite *fit_robust_suite(void)
{
    Suite *suite = suite_create("fit_robust");
    TCase *run = tcase_create("run");
    tcase_add_checked_fixture(run, make_folder, remove_folder);
    tcase_add_test(run, one_seed_gives_one_history_and_another_another);
    tcase_add_test(run, digits_are_learnt);
    tcase_add_loop_test(run, steps_and_epochs_allocate_nothing_after_the_first, 0, 2);
    tcase_add_test(run, running_out_of_memory_anywhere_is_an_error);
    tcase_add_loop_test(run, the_file_says_what_the_history_does, 0, 2);
    tcase_add_test(run, a_full_disk_stops_training);
    tcase_add_test(run, a_pipe_shows_a_line_per_epoch);
    tcase_add_test(run, a_terminal_shows_bars_and_errors_stand_on_their_own_line);
    suite_add_tcase(suite, run);
    TCase *errors = tcase_create("errors");
    tcase_add_checked_fixture(errors, make_folder, remove_folder);
    tcase_add_test(errors, what_went_wrong_first_is_what_is_told);
    tcase_add_test(errors, options_are_checked);
    tcase_add_test(errors, a_nan_is_told_with_its_place_and_its_operation);
    tcase_add_loop_test(errors, a_step_that_fails_ends_training_with_its_message, 0, 6);
    suite_add_tcase(suite, errors);
    TCase *signals = tcase_create("signals");
    tcase_add_checked_fixture(signals, make_folder, remove_folder);
    tcase_add_loop_test(signals, an_interrupted_training_ends_whole_and_dies_of_the_signal, 0, 3);
    tcase_add_loop_test(signals, handlers_are_put_back_and_left_alone, 0, 2);
    suite_add_tcase(suite, signals);
    return suite;
}
