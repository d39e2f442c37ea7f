/* Training on files that are streamed: the same as in memory where the buffer holds all rows, as good where it does not,
 * resumed to the bit, and within the memory that it is given. */
#include "data/streaming.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fit_support.h"
#include "scratch.h"
#include "support.h"

enum { ROWS = 3000, COLUMNS = 5, EPOCHS = 4 };

/* Points on either side of a plane, in the order of their classes, which streaming has to mix. */
static void write_points(const char *path, size_t rows)
{
    FILE *file = fopen(path, "wb");
    fputs("a,b,c,d,e,side\n", file);
    lg_rng rng = lg_rng_seed(6);
    for (size_t i = 0; i < rows; i++) {
        const bool above = i >= rows / 2;
        double x[COLUMNS], sum;
        do {
            sum = 0;
            for (size_t j = 0; j < COLUMNS; j++)
                sum += (double)(j + 1) * (x[j] = lg_rng_normal(&rng));
        } while ((sum + 3 * lg_rng_normal(&rng) > 0) != above);
        for (size_t j = 0; j < COLUMNS; j++)
            fprintf(file, "%.4f,", 10 * x[j] + 7);
        fprintf(file, "%s\n", above ? "above" : "below");
    }
    fclose(file);
}

static const lg_read_options sides = { .csv = { .target = "side", .positive = "above" } };

/* What a training comes to: its history's last row, but for the seconds, and its parameters. */
typedef struct result {
    lg_real w[COLUMNS], b;
    double loss, validation_loss, accuracy;
    size_t rows;
} result;

static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const line *l = model;
    lg_tensor *x = lg_batch_x(tape, batch), *y = lg_batch_y(tape, batch);                 /* [batch, 5], [batch] */
    lg_tensor *logits = lg_reshape(tape, lg_linear(tape, x, l->w, l->b, LG_LINEAR), LG_SHAPE(lg_batch_rows(batch)));
    lg_report_accuracy(tape, logits, y);
    return lg_binary_crossentropy(tape, logits, y, &(lg_loss_options){ .from_logits = true });
}

static result train(const lg_dataset *data, const lg_fit_options *options)
{
    line l = line_new(COLUMNS, 0.5);
    lg_history *history = lg_fit(step, &l, l.optimizer, data, options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    result r = { .b = lg_tensor_data(l.b)[0],
                 .loss = lg_history_last(history, "loss"),
                 .validation_loss = lg_history_last(history, "val_loss"),
                 .accuracy = lg_history_last(history, "val_accuracy"),
                 .rows = lg_history_rows(history) };
    memcpy(r.w, lg_tensor_data(l.w), sizeof r.w);
    lg_history_free(history);
    line_free(&l);
    return r;
}

static void assert_same(const result *a, const result *b)
{
    ck_assert_mem_eq(a->w, b->w, sizeof a->w);
    ck_assert(a->b == b->b && a->loss == b->loss && a->validation_loss == b->validation_loss);
    ck_assert_uint_eq(a->rows, b->rows);
}

/* Opened, scaled; buffer SIZE_MAX: in memory. */
static lg_dataset *open_points(size_t buffer_rows)
{
    lg_dataset *data = buffer_rows == SIZE_MAX ? lg_dataset_read("points.csv", &sides)
                                               : lg_dataset_stream("points.csv", &sides, buffer_rows);
    lg_scaler *scaler = lg_scaler_fit(data, NULL, 0);
    ck_assert_msg(lg_scaler_apply(scaler, data) == LG_OK, "%s", lg_error());
    lg_scaler_free(scaler);
    return data;
}

static lg_fit_options with_split(void)
{
    lg_fit_options options = quiet(EPOCHS, 32);
    options.seed = 4;
    options.validation_split = 0.2;
    return options;
}

START_TEST(with_room_for_all_rows_training_is_that_in_memory)
{
    write_points("points.csv", ROWS);
    const lg_fit_options options = with_split();
    lg_dataset *memory = open_points(SIZE_MAX), *streamed = open_points(ROWS);
    const result a = train(memory, &options), b = train(streamed, &options);
    assert_same(&a, &b);
    lg_dataset_free(memory);
    lg_dataset_free(streamed);
}
END_TEST

/* The rows are sorted by class, and the buffer holds a third of them: in file order training would see one class for half
 * an epoch. */
START_TEST(with_a_small_buffer_training_comes_to_about_the_same)
{
    write_points("points.csv", ROWS);
    const lg_fit_options options = with_split();
    lg_dataset *memory = open_points(SIZE_MAX), *streamed = open_points(1000);
    const result a = train(memory, &options), b = train(streamed, &options);
    for (size_t i = test_stride(2); i < 2; i++) { /* once more, but for valgrind */
        const result again = train(streamed, &options);
        assert_same(&b, &again);
    }
    ck_assert(memcmp(a.w, b.w, sizeof a.w) != 0);
    ck_assert_double_lt(a.validation_loss, 0.35); /* of 0.69 at the beginning */
    ck_assert_double_eq_tol(a.validation_loss, b.validation_loss, 0.05);
    ck_assert_double_eq_tol(a.accuracy, b.accuracy, 0.03);
    lg_dataset_free(memory);
    lg_dataset_free(streamed);
}
END_TEST

START_TEST(a_stopped_training_goes_on_to_the_same_end)
{
    write_points("points.csv", ROWS);
    lg_fit_options options = with_split();
    lg_dataset *data = open_points(1000);
    const result whole = train(data, &options);
    options.checkpoint_path = "c.safetensors";
    options.epochs = 2;
    train(data, &options);
    lg_dataset_free(data);
    data = open_points(1000);
    options.resume_path = "c.safetensors";
    options.checkpoint_path = NULL;
    options.epochs = EPOCHS;
    const result rest = train(data, &options);
    assert_same(&whole, &rest);
    lg_dataset_free(data);
}
END_TEST

START_TEST(another_buffer_or_another_file_is_refused_on_resume)
{
    write_points("points.csv", ROWS);
    lg_fit_options options = with_split();
    lg_dataset *data = open_points(1000);
    options.checkpoint_path = "c.safetensors";
    train(data, &options);
    lg_dataset_free(data);
    options.resume_path = "c.safetensors";
    line l = line_new(COLUMNS, 0.5);
    data = open_points(512);
    ck_assert_ptr_null(lg_fit(step, &l, l.optimizer, data, &options));
    ck_assert_str_eq(lg_error(), "c.safetensors: cannot be gone on from: order of rows was shuffled, 4 blocks of 256 at a "
                                 "time then, and is shuffled, 2 blocks of 256 at a time now");
    lg_dataset_free(data);
    FILE *file = fopen("points.csv", "r+b"); /* one digit of the first row */
    fseek(file, (long)strlen("a,b,c,d,e,side\n") + 1, SEEK_SET);
    const int digit = fgetc(file);
    fseek(file, -1, SEEK_CUR);
    fputc(digit == '1' ? '2' : '1', file);
    fclose(file);
    data = lg_dataset_stream("points.csv", &sides, 1000);
    lg_error_clear();
    ck_assert_ptr_null(lg_fit(step, &l, l.optimizer, data, &options));
    ck_assert_msg(strstr(lg_error(), "cannot be gone on from: checksum of the training data was "), "%s", lg_error());
    lg_dataset_free(data);
    line_free(&l);
}
END_TEST

START_TEST(a_file_that_is_cut_in_an_epoch_ends_training_with_a_sentence)
{
    write_points("points.csv", ROWS);
    lg_dataset *data = open_points(512);
    ck_assert_int_eq(truncate("points.csv", 50000), 0);
    line l = line_new(COLUMNS, 0.5);
    const lg_fit_options options = quiet(1, 32);
    lg_error_clear();
    ck_assert_ptr_null(lg_fit(step, &l, l.optimizer, data, &options));
    ck_assert_str_eq(lg_error(), "points.csv: has changed since it was opened; what is streamed must stay as it is");
    lg_dataset_free(data);
    line_free(&l);
}
END_TEST

/* ------------------------------------------------------------------ memory */

/* A line of /proc/self/status, in kB. */
static long status_kilobytes(const char *key)
{
    FILE *file = fopen("/proc/self/status", "r");
    char row[256];
    long kilobytes = -1;
    while (file && fgets(row, sizeof row, file))
        if (strncmp(row, key, strlen(key)) == 0)
            kilobytes = atol(row + strlen(key) + 1);
    if (file)
        fclose(file);
    return kilobytes;
}

/* In a process of its own: by how many kB its memory grew, at most, while it opened the file, scaled it and trained an
 * epoch. */
static long growth_of(const char *path, const lg_read_options *options, size_t buffer_rows)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        const long before = status_kilobytes("VmRSS");
        lg_dataset *data = lg_dataset_stream(path, options, buffer_rows);
        lg_scaler *scaler = lg_scaler_fit(data, NULL, 0);
        line l = line_new(lg_dataset_features(data), 0.01);
        const lg_fit_options fit = quiet(1, 4096);
        const lg_status scaled = lg_scaler_apply(scaler, data);
        lg_history *history = scaled == LG_OK ? lg_fit(line_step, &l, l.optimizer, data, &fit) : NULL;
        const long grown = history ? status_kilobytes("VmHWM") - before : -1;
        if (!history)
            fprintf(stderr, "%s\n", lg_error());
        lg_history_free(history);
        line_free(&l);
        lg_scaler_free(scaler);
        lg_dataset_free(data);
        _exit(write(ends[1], &grown, sizeof grown) != sizeof grown);
    }
    long grown = -1;
    close(ends[1]);
    ck_assert_int_eq((int)read(ends[0], &grown, sizeof grown), (int)sizeof grown);
    close(ends[0]);
    int ended;
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    ck_assert_int_eq(ended, 0);
    return grown;
}

/* valgrind, whose own memory would count, only looks for other errors in a shorter file. */
static bool light(void)
{
    return getenv("LG_TEST_LIGHT") != NULL;
}

/* A file of 64 MB by a buffer of 4 MB; in memory it would take 64 MB and more. The file is a hole, which reads as zeros
 * and takes no disk. */
START_TEST(an_array_of_64_megabytes_trains_in_24)
{
    static const char header[] = "\x93NUMPY\1\0\x46\0{'descr': '<f4', 'fortran_order': False, 'shape': (1048576, 16), }";
    char bytes[80];
    memset(bytes, ' ', sizeof bytes);
    memcpy(bytes, header, sizeof header - 1);
    if (light())
        memcpy(strstr(bytes + 10, "1048576"), "  16384", 7);
    bytes[79] = '\n';
    scratch_write("t.npy", bytes, sizeof bytes);
    FILE *file = fopen("t.npy", "r+b"); /* one target that is not 0 */
    fseek(file, (long)sizeof bytes + 4 * 15, SEEK_SET);
    fwrite(&(float){ 1 }, sizeof(float), 1, file);
    fclose(file);
    ck_assert_int_eq(truncate("t.npy", (off_t)sizeof bytes + ((light() ? 1 : 64) << 20)), 0);
    const long grown = growth_of("t.npy", &(lg_read_options){ .csv.target = "-1" }, 65536);
    ck_assert_msg(grown > 0 && (grown < 24 << 10 || light()), "grew by %ld kB", grown);
}
END_TEST

START_TEST(a_table_of_24_megabytes_trains_in_10)
{
    enum { TIMES = 96, PIECE = 256 << 10 };
    char *piece = malloc(PIECE + 256);
    size_t used = 0;
    lg_rng rng = lg_rng_seed(1);
    while (used < PIECE)
        used += (size_t)sprintf(piece + used, "%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%s,%d\n", lg_rng_normal(&rng),
                                lg_rng_normal(&rng), lg_rng_normal(&rng), lg_rng_normal(&rng), lg_rng_normal(&rng),
                                lg_rng_normal(&rng), lg_rng_normal(&rng), lg_rng_normal(&rng),
                                used % 3 ? "north" : "south", (int)(used % 2));
    FILE *file = fopen("t.csv", "wb");
    fputs("a,b,c,d,e,f,g,h,where,y\n", file);
    const size_t times = light() ? 2 : TIMES;
    for (size_t i = 0; i < times; i++)
        fwrite(piece, 1, used, file);
    fclose(file);
    free(piece);
    const long grown = growth_of("t.csv", &(lg_read_options){ .csv.target = "y" }, 16384);
    ck_assert_msg(grown > 0 && (grown < 10 << 10 || light()), "grew by %ld kB", grown);
}
END_TEST

Suite *streaming_fit_suite(void)
{
    Suite *suite = suite_create("streaming_fit");
    TCase *training = tcase_create("training"), *memory = tcase_create("memory");
    tcase_add_checked_fixture(training, scratch_enter, scratch_leave);
    tcase_add_checked_fixture(memory, scratch_enter, scratch_leave);
    tcase_set_timeout(memory, 20);
    tcase_add_test(training, with_room_for_all_rows_training_is_that_in_memory);
    tcase_add_test(training, with_a_small_buffer_training_comes_to_about_the_same);
    tcase_add_test(training, a_stopped_training_goes_on_to_the_same_end);
    tcase_add_test(training, another_buffer_or_another_file_is_refused_on_resume);
    tcase_add_test(training, a_file_that_is_cut_in_an_epoch_ends_training_with_a_sentence);
    tcase_add_test(memory, an_array_of_64_megabytes_trains_in_24);
    tcase_add_test(memory, a_table_of_24_megabytes_trains_in_10);
    suite_add_tcase(suite, training);
    suite_add_tcase(suite, memory);
    return suite;
}
