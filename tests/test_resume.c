/* Checkpoints of lg_fit: a training that was stopped and gone on with is, bit for bit, the one that was not, and what is
 * wrong with a checkpoint is said. Whole programs, and kills, are in test_kill.c. */
#include "fail_alloc.h"
#include "fit_support.h"
#include "support.h"
#include "train/checkpoint_internal.h"

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EPOCHS 6
#define CHECKPOINT in_folder("c.safetensors")
#define HISTORY in_folder("h.csv")

/* ------------------------------------------------------------- trainings */

typedef struct net {
    lg_params *params;
    lg_dense *hidden, *out;
    lg_optimizer *optimizer;
    size_t stop_after; /* epoch; 0: never */
    bool lowers_rate;  /* the callback does, by what it was */
} net;

typedef enum training_way { WITH_ADAM, WITH_MOMENTUM, WITH_RMSPROP_ON_A_PLATEAU, WITH_AVERAGES_AND_STOPPING, WITH_COSINE_STEPS,
                   WITH_A_RATE_OF_ITS_OWN, WITH_JSON, WAYS } training_way;

static net net_new(training_way way, size_t hidden)
{
    lg_rng rng = lg_rng_seed(9);
    net n = { .params = lg_params_new(), .lowers_rate = way == WITH_A_RATE_OF_ITS_OWN };
    n.hidden = lg_dense_new(n.params, "hidden", 4, hidden, &rng);
    n.out = lg_dense_new(n.params, "out", hidden, 1, &rng);
    n.optimizer = way == WITH_MOMENTUM
                      ? lg_sgd_new(n.params, &(lg_sgd_options){ .learning_rate = 0.1, .momentum = 0.9, .dampening = 0.1 })
                  : way == WITH_RMSPROP_ON_A_PLATEAU
                      ? lg_rmsprop_new(n.params, &(lg_rmsprop_options){ .centered = true, .momentum = 0.5 })
                      : lg_adam_new(n.params, &(lg_adam_options){ .learning_rate = 0.02 });
    return n;
}

static void net_free(net *n)
{
    lg_optimizer_free(n->optimizer);
    lg_params_free(n->params);
}

static lg_tensor *net_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const net *n = model;
    lg_tensor *x = lg_batch_x(tape, batch), *y = lg_batch_y(tape, batch);
    lg_tensor *h = lg_dropout(tape, lg_tanh(tape, lg_dense_apply(tape, n->hidden, x)), 0.25);  /* [batch, hidden] */
    lg_tensor *logits = lg_dense_apply(tape, n->out, h);                                       /* [batch, 1] */
    lg_report_accuracy(tape, logits, y);
    lg_report_scores(tape, logits, y);
    return lg_binary_crossentropy(tape, logits, y, &(lg_loss_options){ .from_logits = true });
}

static lg_status after_epoch(size_t epoch, const lg_history *history, void *context)
{
    net *n = context;
    (void)history;
    if (n->lowers_rate)
        lg_optimizer_set_learning_rate(n->optimizer, 0.8 * lg_optimizer_learning_rate(n->optimizer));
    return epoch == n->stop_after ? LG_E_INTERRUPTED : LG_OK;
}

/* The options of a way; those that point somewhere point to what is static. */
static lg_fit_options options_of(training_way way, net *n)
{
    static lg_schedule plateau, cosine;
    plateau = lg_schedule_plateau(0.5, 1);
    plateau.threshold = 0.9; /* so that no epoch is better than the first, and it reduces after epoch 3 */
    plateau.cooldown = 2;
    cosine = lg_schedule_cosine(5, EPOCHS * 5, 0);
    cosine.unit = LG_PER_STEP;
    lg_fit_options o = quiet(EPOCHS, 16);
    o.seed = 5;
    o.validation_split = 0.25;
    o.callback = after_epoch;
    o.context = n;
    o.history_path = way == WITH_JSON ? in_folder("h.jsonl") : HISTORY;
    if (way == WITH_MOMENTUM)
        o.accumulate = 2;
    if (way == WITH_RMSPROP_ON_A_PLATEAU)
        o.schedule = &plateau;
    if (way == WITH_COSINE_STEPS)
        o.schedule = &cosine;
    if (way == WITH_AVERAGES_AND_STOPPING) {
        o.average = (lg_average_options){ .kind = LG_AVERAGE_EXPONENTIAL, .decay = 0.9, .start = 7 };
        o.early_stopping = (lg_early_stopping){ .patience = 2, .monitor = "val_accuracy" };
        o.evaluate_train = true;
    }
    return o;
}

/* What a training comes to. */
typedef struct result {
    lg_real values[128];
    size_t count, best_epoch, rows;
    lg_stop stop;
    double rate;
    char history[8192];
} result;

/* The text of a history without the seconds, which are last in each line. */
static void take_history(const char *path, char *text, size_t bytes)
{
    size_t used = 0;
    for (const char *row = text_of(path); *row;) {
        const char *end = strchr(row, '\n');
        ck_assert_msg(end != NULL, "%s: its last line is cut: %s", path, row);
        size_t length = (size_t)(end - row);
        while (length > 0 && row[length - 1] != ',')
            length--;
        ck_assert_uint_lt(used + length + 2, bytes);
        memcpy(text + used, row, length);
        used += length;
        text[used++] = '\n';
        row = end + 1;
    }
    text[used] = '\0';
}

static result result_of(const net *n, const lg_history *history, const char *path)
{
    ck_assert_msg(history != NULL, "%s", lg_error());
    result r = { .best_epoch = lg_history_best_epoch(history),
                 .rows = lg_history_rows(history),
                 .stop = lg_history_stop(history),
                 .rate = lg_optimizer_learning_rate(n->optimizer) };
    for (size_t i = 0; i < lg_params_count(n->params); i++) {
        lg_tensor *tensor = lg_params_at(n->params, i);
        ck_assert_uint_le(r.count + lg_tensor_size(tensor), sizeof r.values / sizeof *r.values);
        memcpy(r.values + r.count, lg_tensor_data(tensor), lg_tensor_size(tensor) * sizeof(lg_real));
        r.count += lg_tensor_size(tensor);
    }
    take_history(path, r.history, sizeof r.history);
    return r;
}

static void assert_same(const result *a, const result *b)
{
    ck_assert_uint_eq(a->count, b->count);
    ck_assert(memcmp(a->values, b->values, a->count * sizeof *a->values) == 0);
    ck_assert_str_eq(a->history, b->history);
    ck_assert_uint_eq(a->best_epoch, b->best_epoch);
    ck_assert_uint_eq(a->rows, b->rows);
    ck_assert_int_eq(a->stop, b->stop);
    ck_assert(a->rate == b->rate);
}

static lg_dataset *data;

static void setup(void)
{
    make_folder();
    data = points_new(100, 4, true, 2);
}

static void teardown(void)
{
    lg_dataset_free(data);
    remove_folder();
}

/* Trains in a way, from the checkpoint if `resumes`, saving every `every` epochs (0: not at all). */
static result train(training_way way, bool resumes, size_t every, size_t stop_after)
{
    net n = net_new(way, 8);
    n.stop_after = stop_after;
    lg_fit_options o = options_of(way, &n);
    o.checkpoint_path = every ? CHECKPOINT : NULL;
    o.save_every = every;
    o.resume_path = resumes ? CHECKPOINT : NULL;
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &o);
    const result r = result_of(&n, history, o.history_path);
    lg_history_free(history);
    net_free(&n);
    return r;
}

/* ---------------------------------------------------------------- equality */

START_TEST(a_resumed_training_is_the_one_that_was_not_stopped)
{
    const training_way way = (training_way)_i;
    const result whole = train(way, false, 0, 0);
    ck_assert_uint_gt(whole.rows, 2);
    for (size_t stop = 1; stop < whole.rows; stop++) {
        const result part = train(way, false, 1, stop);
        ck_assert_uint_eq(part.rows, stop);
        const result rest = train(way, true, 1, 0);
        assert_same(&whole, &rest);
    }
}
END_TEST

START_TEST(the_ways_meet_what_they_are_there_for)
{
    const result plateau = train(WITH_RMSPROP_ON_A_PLATEAU, false, 0, 0), adam = train(WITH_ADAM, false, 0, 0);
    const result stopped = train(WITH_AVERAGES_AND_STOPPING, false, 0, 0), own = train(WITH_A_RATE_OF_ITS_OWN, false, 0, 0);
    ck_assert_ptr_nonnull(strstr(plateau.history, ",0.005,")); /* the rate was halved */
    ck_assert_int_eq(stopped.stop, LG_STOP_EARLY);
    ck_assert_uint_lt(stopped.best_epoch, stopped.rows);
    ck_assert_double_lt(own.rate, 0.01);
    ck_assert(memcmp(adam.values, own.values, sizeof adam.values) != 0);
}
END_TEST

START_TEST(rows_behind_the_checkpoint_are_cut)
{
    const result whole = train(WITH_ADAM, false, 0, 0);
    train(WITH_ADAM, false, 2, 5); /* the checkpoint is of epoch 4 */
    FILE *file = fopen(HISTORY, "a");
    fputs("6,0.2", file); /* a row that a crash cut */
    fclose(file);
    const result rest = train(WITH_ADAM, true, 0, 0);
    assert_same(&whole, &rest);
}
END_TEST

/* A machine that loses power may lose rows that were not synced, while the checkpoint was. */
START_TEST(rows_that_the_file_lacks_come_from_the_checkpoint)
{
    const result whole = train(WITH_ADAM, false, 0, 0);
    for (int missing = 0; missing < 3; missing++) {
        train(WITH_ADAM, false, 1, 4);
        struct stat about;
        ck_assert_int_eq(stat(HISTORY, &about), 0);
        if (missing == 0)
            ck_assert_int_eq(unlink(HISTORY), 0);
        else
            ck_assert_int_eq(truncate(HISTORY, missing == 1 ? 0 : about.st_size - 30), 0);
        const result rest = train(WITH_ADAM, true, 0, 0);
        assert_same(&whole, &rest);
    }
}
END_TEST

START_TEST(a_finished_training_is_done_and_may_go_on_to_more_epochs)
{
    const result whole = train(WITH_ADAM, false, 4, 0); /* and one after epoch 6 */
    const result again = train(WITH_ADAM, true, 0, 0);
    assert_same(&whole, &again);
    net n = net_new(WITH_ADAM, 8);
    lg_fit_options o = options_of(WITH_ADAM, &n);
    o.resume_path = CHECKPOINT;
    o.epochs = EPOCHS + 2;
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &o);
    const result longer = result_of(&n, history, HISTORY);
    ck_assert_uint_eq(longer.rows, EPOCHS + 2);
    ck_assert(strncmp(longer.history, whole.history, strlen(whole.history)) == 0);
    lg_history_free(history);
    net_free(&n);
}
END_TEST

START_TEST(checkpoints_change_nothing_and_are_written_when_they_are_due)
{
    const result without = train(WITH_ADAM, false, 0, 0), with = train(WITH_ADAM, false, 2, 0);
    assert_same(&without, &with);
    train(WITH_ADAM, false, 4, 5);
    lg_safetensors *file = lg_safetensors_open(CHECKPOINT);
    ck_assert_msg(file != NULL, "%s", lg_error());
    ck_assert_str_eq(lg_safetensors_metadata(file, "epoch"), "4");
    ck_assert_str_eq(lg_safetensors_metadata(file, "history.rows"), "4");
    ck_assert_uint_eq(lg_safetensors_find(file, "parameters/hidden.weight")->dims[0], 8);
    ck_assert(lg_safetensors_has(file, "optimizer.m/out.bias") && lg_safetensors_has(file, "history/val_loss"));
    lg_safetensors_close(file);
    ck_assert_int_ne(access(in_folder("c.safetensors.partial"), F_OK), 0);
}
END_TEST

/* -------------------------------------------------------- what does not fit */

static void (*change_options)(lg_fit_options *o);

/* Goes on with WITH_ADAM's checkpoint in another way, which is refused: the message, and nothing changed. */
static const char *refusal(training_way way, size_t hidden)
{
    net n = net_new(way, hidden);
    lg_fit_options o = options_of(way, &n);
    o.resume_path = CHECKPOINT;
    if (change_options)
        change_options(&o);
    lg_snapshot *before = lg_params_snapshot(n.params);
    const char *history = text_of(HISTORY);
    const lg_real first = lg_tensor_data(lg_params_at(n.params, 0))[0];
    lg_error_clear();
    ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &o));
    ck_assert(lg_tensor_data(lg_params_at(n.params, 0))[0] == first);
    ck_assert_str_eq(history, text_of(HISTORY));
    ck_assert_ptr_null(strchr(lg_error(), '\n'));
    lg_snapshot_free(before);
    net_free(&n);
    return lg_error();
}

#define ASSERT_REFUSED(way, hidden, words)                                                                        \
    do {                                                                                                          \
        const char *message = refusal(way, hidden);                                                               \
        ck_assert_msg(strstr(message, words) && strstr(message, "c.safetensors"), "%s", message);                 \
    } while (0)

static void other_seed(lg_fit_options *o) { o->seed = 6; }
static void other_batches(lg_fit_options *o) { o->batch_size = 8; }
static void other_split(lg_fit_options *o) { o->validation_split = 0.5; }
static void no_shuffle(lg_fit_options *o) { o->no_shuffle = true; }
static void other_facts(lg_fit_options *o)
{
    static const lg_metadata facts[] = { { "data", "b.csv" } };
    o->checkpoint_facts = facts;
    o->checkpoint_fact_count = 1;
}

START_TEST(a_checkpoint_of_another_training_is_refused_with_what_differs)
{
    train(WITH_ADAM, false, 1, 3);
    change_options = NULL;
    ASSERT_REFUSED(WITH_ADAM, 9, "parameters/hidden.weight was [8, 4] then, and is [9, 4] now");
    ASSERT_REFUSED(WITH_MOMENTUM, 8, "optimizer was adam then, and is sgd now");
    ASSERT_REFUSED(WITH_COSINE_STEPS, 8, "schedule was constant then, and is cosine now");
    ASSERT_REFUSED(WITH_AVERAGES_AND_STOPPING, 8, "average was none then, and is exponential now");
    static const struct { void (*change)(lg_fit_options *o); const char *words; } cases[] = {
        { other_seed, "seed was 5 then, and is 6 now" },
        { other_batches, "batch size was 16 then, and is 8 now" },
        { other_split, "training rows was 75 then, and is 50 now" },
        { no_shuffle, "order of rows was shuffled then, and is as they are now" },
        { other_facts, "data was none then, and is b.csv now" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        change_options = cases[i].change;
        ASSERT_REFUSED(WITH_ADAM, 8, cases[i].words);
    }
    change_options = NULL;
}
END_TEST

/* As many rows, and one number of them another. */
START_TEST(other_data_are_refused)
{
    train(WITH_ADAM, false, 1, 3);
    change_options = NULL;
    lg_real *x = lg_dataset_values(data, "x"), *y = lg_dataset_values(data, "y");
    for (size_t i = 0; i < 400; i += 57) {
        const lg_real kept = x[i];
        x[i] += (lg_real)0.001;
        ASSERT_REFUSED(WITH_ADAM, 8, "c.safetensors: cannot be gone on from: checksum of the training data was ");
        x[i] = kept;
    }
    y[99] = 1 - y[99];
    ASSERT_REFUSED(WITH_ADAM, 8, "checksum of the training data was ");
    y[99] = 1 - y[99];
    const result rest = train(WITH_ADAM, true, 1, 0);
    ck_assert_uint_eq(rest.rows, EPOCHS);
}
END_TEST

START_TEST(another_name_of_a_parameter_is_named)
{
    train(WITH_ADAM, false, 1, 3);
    lg_rng rng = lg_rng_seed(9);
    net n = { .params = lg_params_new() };
    n.hidden = lg_dense_new(n.params, "layer", 4, 8, &rng);
    n.out = lg_dense_new(n.params, "out", 8, 1, &rng);
    n.optimizer = lg_adam_new(n.params, NULL);
    lg_fit_options o = options_of(WITH_ADAM, &n);
    o.resume_path = CHECKPOINT;
    ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &o));
    ck_assert_msg(strstr(lg_error(), "has no \"parameters/layer.weight\"") != NULL, "%s", lg_error());
    net_free(&n);
}
END_TEST

START_TEST(a_history_of_another_training_is_refused_and_left_alone)
{
    train(WITH_ADAM, false, 1, 3);
    FILE *file = fopen(HISTORY, "r+");
    fputs("epoch,lass", file);
    fclose(file);
    net n = net_new(WITH_ADAM, 8);
    lg_fit_options o = options_of(WITH_ADAM, &n);
    o.resume_path = CHECKPOINT;
    const char *before = text_of(HISTORY);
    const lg_real first = lg_tensor_data(lg_params_at(n.params, 0))[0];
    ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &o));
    ck_assert_msg(strstr(lg_error(), "h.csv:1: the file is not of this training: its header") != NULL, "%s", lg_error());
    ck_assert_str_eq(before, text_of(HISTORY));
    ck_assert(lg_tensor_data(lg_params_at(n.params, 0))[0] == first);
    net_free(&n);
}
END_TEST

static lg_tensor *step_without_reports(lg_tape *tape, const lg_batch *batch, void *model)
{
    const net *n = model;
    lg_tensor *h = lg_tanh(tape, lg_dense_apply(tape, n->hidden, lg_batch_x(tape, batch))); /* [batch, hidden] */
    return lg_binary_crossentropy(tape, lg_dense_apply(tape, n->out, h), lg_batch_y(tape, batch),
                                  &(lg_loss_options){ .from_logits = true });
}

START_TEST(a_column_that_is_no_longer_reported_is_named)
{
    train(WITH_ADAM, false, 1, 3);
    net n = net_new(WITH_ADAM, 8);
    lg_fit_options o = options_of(WITH_ADAM, &n);
    o.resume_path = CHECKPOINT;
    const char *before = text_of(HISTORY);
    ck_assert_ptr_null(lg_fit(step_without_reports, &n, n.optimizer, data, &o));
    ck_assert_int_eq(lg_error_code(), LG_E_STATE);
    ck_assert_msg(strstr(lg_error(), "a column \"accuracy\"") != NULL, "%s", lg_error());
    ck_assert_str_eq(before, text_of(HISTORY));
    net_free(&n);
}
END_TEST

START_TEST(what_is_no_checkpoint_is_refused)
{
    train(WITH_ADAM, false, 1, 3);
    ck_assert_int_eq(unlink(CHECKPOINT), 0);
    change_options = NULL;
    ASSERT_REFUSED(WITH_ADAM, 8, "No such file");
    net n = net_new(WITH_ADAM, 8);
    ck_assert_int_eq(lg_params_save(n.params, CHECKPOINT, NULL, 0), LG_OK);
    net_free(&n);
    ASSERT_REFUSED(WITH_ADAM, 8, "is no checkpoint");
    lg_fit_options o = { .save_every = 3, .verbose = LG_SILENT };
    n = net_new(WITH_ADAM, 8);
    lg_error_clear();
    ck_assert_ptr_null(lg_fit(net_step, &n, n.optimizer, data, &o));
    ck_assert_ptr_nonnull(strstr(lg_error(), "save_every is 3, but checkpoint_path is NULL"));
    net_free(&n);
}
END_TEST

/* ------------------------------------------------------------------ damage */

static char *bytes_of(const char *path, size_t *count)
{
    struct stat about;
    ck_assert_int_eq(stat(path, &about), 0);
    char *bytes = malloc((size_t)about.st_size);
    FILE *file = fopen(path, "rb");
    *count = fread(bytes, 1, (size_t)about.st_size, file);
    ck_assert_uint_eq(*count, (size_t)about.st_size);
    fclose(file);
    return bytes;
}

static void put_bytes(const char *path, const char *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    ck_assert_uint_eq(fwrite(bytes, 1, count, file), count);
    ck_assert_int_eq(fclose(file), 0);
}

/* Resumes at the last epoch, so that nothing is trained: what comes out is what was loaded. */
static bool loads_right(const result *whole)
{
    net n = net_new(WITH_ADAM, 8);
    lg_fit_options o = options_of(WITH_ADAM, &n);
    o.resume_path = CHECKPOINT;
    lg_error_clear();
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &o);
    if (history) {
        const result loaded = result_of(&n, history, HISTORY);
        assert_same(whole, &loaded);
    } else {
        ck_assert(*lg_error() && !strchr(lg_error(), '\n'));
        ck_assert(lg_error_code() == LG_E_FORMAT || lg_error_code() == LG_E_STATE);
    }
    lg_history_free(history);
    net_free(&n);
    return history != NULL;
}

/* Every byte of the file has one of its bits turned: all of them are caught but, at most, one in the header's blanks. */
START_TEST(a_flipped_bit_is_refused_or_harmless)
{
    const result whole = train(WITH_ADAM, false, EPOCHS, 0);
    size_t count, loaded = 0, step = getenv("LG_TEST_LIGHT") ? 61 : 1;
    char *bytes = bytes_of(CHECKPOINT, &count);
    for (size_t at = 0; at < count; at += step) {
        bytes[at] ^= (char)(1 << (at * 5 % 8));
        put_bytes(CHECKPOINT, bytes, count);
        loaded += loads_right(&whole);
        bytes[at] ^= (char)(1 << (at * 5 % 8));
    }
    ck_assert_uint_le(loaded, 8);
    put_bytes(CHECKPOINT, bytes, count);
    ck_assert(loads_right(&whole));
    free(bytes);
}
END_TEST

START_TEST(a_truncated_checkpoint_is_refused)
{
    const result whole = train(WITH_ADAM, false, EPOCHS, 0);
    size_t count;
    char *bytes = bytes_of(CHECKPOINT, &count);
    for (size_t kept = 0; kept < count; kept += getenv("LG_TEST_LIGHT") ? 173 : 7) {
        put_bytes(CHECKPOINT, bytes, kept);
        ck_assert(!loads_right(&whole));
    }
    free(bytes);
}
END_TEST

/* A checkpoint that is made up: whole, its checksum right, and one thing in it changed. */
typedef struct forgery {
    const char *key, *value;   /* of the metadata */
    const char *tensor;        /* left out, or, with `length`, given this many values instead */
    size_t length;
    const char *words;         /* of the refusal */
} forgery;

static void forge(const forgery *f)
{
    static const double zeros[64];
    lg_safetensors *file = lg_safetensors_open(CHECKPOINT);
    const size_t texts = lg_safetensors_metadata_count(file), tensors = lg_safetensors_count(file);
    lg_metadata metadata[64];
    lg_file_entry entries[64];
    void *values[64] = { NULL };
    char sum_text[24];
    uint64_t sum = 0;
    size_t text_count = 0, count = 0;
    ck_assert(texts < 64 && tensors < 64);
    for (size_t i = 0; i < texts; i++) {
        lg_metadata text = lg_safetensors_metadata_at(file, i);
        if (strcmp(text.key, LG_CHECKPOINT_SUM) == 0)
            continue;
        if (f->key && strcmp(text.key, f->key) == 0)
            text.value = f->value;
        sum += lg_checkpoint_sum_text(text.key, text.value);
        metadata[text_count++] = text;
    }
    for (size_t i = 0; i < tensors; i++) {
        const lg_file_tensor *t = lg_safetensors_at(file, i);
        const bool meant = f->tensor && strncmp(t->name, f->tensor, strlen(f->tensor)) == 0;
        if (meant && !f->length)
            continue;
        values[i] = calloc(t->bytes + 1, 1);
        ck_assert_int_eq(lg_safetensors_read_bytes(file, t, values[i]), LG_OK);
        lg_file_entry *e = entries + count++;
        *e = (lg_file_entry){ t->name, t->dtype, t->rank, t->dims, values[i] };
        if (meant)
            *e = (lg_file_entry){ t->name, LG_FILE_F64, 1, &f->length, zeros };
        sum += lg_checkpoint_sum_tensor(e->name, e->dtype, e->rank, e->dims, e->values,
                                        meant ? f->length * sizeof *zeros : t->bytes);
    }
    snprintf(sum_text, sizeof sum_text, "%016" PRIx64, sum);
    metadata[text_count++] = (lg_metadata){ LG_CHECKPOINT_SUM, sum_text };
    ck_assert_int_eq(lg_safetensors_write(CHECKPOINT, entries, count, metadata, text_count), LG_OK);
    for (size_t i = 0; i < tensors; i++)
        free(values[i]);
    lg_safetensors_close(file);
}

START_TEST(a_made_up_checkpoint_is_refused)
{
    static const forgery forgeries[] = {
        { .key = "luge.checkpoint", .value = "2", .words = "version was 2 then, and is 1 now" },
        { .key = "epoch", .value = "0", .words = "its history has not a row for each epoch" },
        { .key = "epoch", .value = "4", .words = "its history has not a row for each epoch" },
        { .key = "epoch", .value = "three", .words = "damaged: epoch" },
        { .key = "epoch", .value = "99999999999999999999", .words = "damaged: epoch" },
        { .key = "optimizer.steps", .value = "-1", .words = "damaged: optimizer.steps" },
        { .key = "schedule.has_best", .value = "2", .words = "damaged: schedule.has_best" },
        { .key = "learning_rate", .value = "", .words = "damaged: learning_rate" },
        { .tensor = "history/", .words = "it has no history" },
        { .tensor = "history/loss", .length = 2, .words = "its history is no table" },
        { .tensor = "optimizer.m/out.bias", .words = "has no \"optimizer.m/out.bias\"" },
        { .tensor = "optimizer.v/hidden.weight", .length = 32, .words = "optimizer.v/hidden.weight was" },
    };
    change_options = NULL;
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        train(WITH_ADAM, false, 1, 3);
        forge(&(forgery){ .words = "" }); /* unchanged, it is what it was */
        train(WITH_ADAM, true, 0, 0);
        train(WITH_ADAM, false, 1, 3);
        forge(forgeries + i);
        ASSERT_REFUSED(WITH_ADAM, 8, forgeries[i].words);
    }
}
END_TEST

/* ------------------------------------------------------------------- faults */

/* No file may grow beyond what the first checkpoint took (a later one holds more rows): as on a disk that is full. */
START_TEST(a_disk_that_fills_up_keeps_the_checkpoint_before)
{
    const result whole = train(WITH_ADAM, false, 0, 0);
    train(WITH_ADAM, false, 1, 1);
    size_t count, kept;
    char *first = bytes_of(CHECKPOINT, &count);
    struct rlimit before, low;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = (struct rlimit){ .rlim_cur = count, .rlim_max = before.rlim_max };
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    net n = net_new(WITH_ADAM, 8);
    lg_fit_options o = options_of(WITH_ADAM, &n);
    o.checkpoint_path = o.resume_path = CHECKPOINT;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
    lg_history *history = lg_fit(net_step, &n, n.optimizer, data, &o);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    ck_assert_ptr_null(history);
    ck_assert_int_eq(lg_error_code(), LG_E_IO);
    ck_assert_msg(strstr(lg_error(), "c.safetensors: cannot be written") != NULL, "%s", lg_error());
    net_free(&n);
    char *now = bytes_of(CHECKPOINT, &kept);
    ck_assert(kept == count && memcmp(first, now, count) == 0);
    ck_assert_int_ne(access(in_folder("c.safetensors.partial"), F_OK), 0);
    const result rest = train(WITH_ADAM, true, 1, 0);
    assert_same(&whole, &rest);
    free(first);
    free(now);
}
END_TEST

/* Two epochs of a small training with everything that a checkpoint can hold. */
static lg_status save_or_resume(void *resumes)
{
    net n = net_new(WITH_AVERAGES_AND_STOPPING, 2);
    lg_fit_options o = options_of(WITH_AVERAGES_AND_STOPPING, &n);
    const lg_metadata facts[] = { { "data", "a.csv" }, { "classes", "2" } };
    o.epochs = *(bool *)resumes ? 2 : 1;
    o.history_path = in_folder(*(bool *)resumes ? "m1.csv" : "m.csv");
    o.checkpoint_path = in_folder("m.safetensors");
    o.resume_path = *(bool *)resumes ? in_folder("m1.safetensors") : NULL;
    o.checkpoint_facts = facts;
    o.checkpoint_fact_count = 2;
    const bool made = n.hidden && n.out && n.optimizer;
    lg_history *history = made ? lg_fit(net_step, &n, n.optimizer, data, &o) : NULL;
    const lg_status status = history ? LG_OK : lg_error_code();
    lg_history_free(history);
    net_free(&n);
    return status;
}

START_TEST(allocation_failures_while_saving_and_resuming_leak_nothing)
{
    bool resumes = false;
    ck_assert_int_eq(save_or_resume(&resumes), LG_OK);
    ck_assert_int_eq(rename(in_folder("m.safetensors"), in_folder("m1.safetensors")), 0);
    ck_assert_int_eq(rename(in_folder("m.csv"), in_folder("m1.csv")), 0);
    ck_assert_uint_gt(for_each_allocation_failure(save_or_resume, &resumes), 20);
    resumes = true;
    ck_assert_uint_gt(for_each_allocation_failure(save_or_resume, &resumes), 40);
}
END_TEST

Suite *resume_suite(void)
{
    Suite *suite = suite_create("resume");
    TCase *equal = tcase_create("equality"), *other = tcase_create("other trainings"), *fault = tcase_create("faults");
    TCase *all[] = { equal, other, fault };
    for (size_t i = 0; i < 3; i++) {
        tcase_add_checked_fixture(all[i], setup, teardown);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_loop_test(equal, a_resumed_training_is_the_one_that_was_not_stopped, 0, WAYS);
    tcase_add_test(equal, the_ways_meet_what_they_are_there_for);
    tcase_add_test(equal, rows_behind_the_checkpoint_are_cut);
    tcase_add_test(equal, rows_that_the_file_lacks_come_from_the_checkpoint);
    tcase_add_test(equal, a_finished_training_is_done_and_may_go_on_to_more_epochs);
    tcase_add_test(equal, checkpoints_change_nothing_and_are_written_when_they_are_due);
    tcase_add_test(other, a_checkpoint_of_another_training_is_refused_with_what_differs);
    tcase_add_test(other, other_data_are_refused);
    tcase_add_test(other, another_name_of_a_parameter_is_named);
    tcase_add_test(other, a_history_of_another_training_is_refused_and_left_alone);
    tcase_add_test(other, a_column_that_is_no_longer_reported_is_named);
    tcase_add_test(other, what_is_no_checkpoint_is_refused);
    tcase_add_test(fault, a_flipped_bit_is_refused_or_harmless);
    tcase_add_test(fault, a_truncated_checkpoint_is_refused);
    tcase_add_test(fault, a_made_up_checkpoint_is_refused);
    tcase_add_test(fault, a_disk_that_fills_up_keeps_the_checkpoint_before);
    tcase_add_test(fault, allocation_failures_while_saving_and_resuming_leak_nothing);
    return suite;
}
