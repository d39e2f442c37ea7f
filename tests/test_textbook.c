/* The field's textbook example of fraud detection, run through lg_fit: logistic regression from zero, full batch,
 * learning rate 0.01, 100 epochs. Reference: NumPy, in tests/reference/textbook.py. */
#include "reference/textbook.h"
#include "support.h"

#include <check.h>
#include <luge.h>

#ifdef LG_DOUBLE
#define TOLERANCE 1e-9
#else
#define TOLERANCE 1e-5
#endif

static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    lg_tensor *x = lg_batch_x(tape, batch);                                                  /* [batch, 20] */
    lg_tensor *y = lg_batch_y(tape, batch);                                                  /* [batch] */
    lg_tensor *logits = lg_reshape(tape, lg_dense_apply(tape, model, x), LG_SHAPE(lg_batch_rows(batch)));
    lg_report_accuracy(tape, logits, y);
    return lg_binary_crossentropy(tape, logits, y, &(lg_loss_options){ .from_logits = true });
}

static lg_params *params;
static lg_dense *model;
static lg_optimizer *sgd;
static lg_dataset *all, *train, *test;
static lg_history *history;

/* Trains as the textbook does: all rows scaled together, then split. */
static void train_as_the_textbook(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/reference/textbook.csv.gz", test_source_dir());
    all = lg_dataset_read_csv(path, &(lg_csv_options){ .target = "fraud", .target_kind = LG_BINARY });
    ck_assert_msg(all != NULL, "%s", lg_error());
    lg_scaler *scaler = lg_scaler_fit(all, NULL, 0);
    ck_assert_int_eq(lg_scaler_apply(scaler, all), LG_OK);
    lg_scaler_free(scaler);

    size_t ids[REFERENCE_TEXTBOOK_TRAIN_ROWS + REFERENCE_TEXTBOOK_TEST_ROWS];
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        ids[i] = i;
    train = lg_dataset_subset(all, ids, REFERENCE_TEXTBOOK_TRAIN_ROWS);
    test = lg_dataset_subset(all, ids + REFERENCE_TEXTBOOK_TRAIN_ROWS, REFERENCE_TEXTBOOK_TEST_ROWS);

    params = lg_params_new();
    model = lg_dense_new_with(params, "logistic", REFERENCE_TEXTBOOK_FEATURES, 1,
                              &(lg_dense_options){ .init = LG_INIT_ZEROS }, NULL);
    sgd = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 0.01 });
    history = lg_fit(step, model, sgd, train, &(lg_fit_options){ .epochs = 100,
                                                                 .batch_size = REFERENCE_TEXTBOOK_TRAIN_ROWS,
                                                                 .no_shuffle = true,
                                                                 .verbose = LG_SILENT });
    ck_assert_msg(history != NULL, "%s", lg_error());
}

static void free_all(void)
{
    lg_history_free(history);
    lg_optimizer_free(sgd);
    lg_params_free(params);
    lg_dataset_free(test);
    lg_dataset_free(train);
    lg_dataset_free(all);
}

START_TEST(loss_of_every_epoch_is_the_textbooks)
{
    size_t epochs;
    const double *loss = lg_history_column(history, "loss", &epochs);
    ck_assert_uint_eq(epochs, 100);
    for (size_t i = 0; i < epochs; i++)
        ck_assert_msg(fabs(loss[i] - reference_textbook_history[i]) <= TOLERANCE, "epoch %zu: %.12f, not %.12f", i + 1,
                      loss[i], reference_textbook_history[i]);
}
END_TEST

START_TEST(it_ends_at_the_textbooks_loss_and_accuracy)
{
    lg_history *on_train = lg_evaluate(step, model, train, NULL);
    lg_history *on_test = lg_evaluate(step, model, test, NULL);
    ck_assert_double_eq_tol(lg_history_last(on_train, "loss"), reference_textbook_train_loss, TOLERANCE);
    ck_assert_double_eq_tol(lg_history_last(on_train, "loss"), 0.6885963755, TOLERANCE);
    ck_assert_double_eq_tol(lg_history_last(on_test, "loss"), reference_textbook_test_loss, TOLERANCE);
    ck_assert_double_eq_tol(lg_history_last(on_test, "accuracy"), reference_textbook_test_accuracy, 1e-12);
    lg_history_free(on_train);
    lg_history_free(on_test);
}
END_TEST

START_TEST(weights_are_the_textbooks)
{
    const lg_real *weight = lg_tensor_data(lg_dense_weight(model));
    for (size_t i = 0; i < REFERENCE_TEXTBOOK_FEATURES; i++)
        ck_assert_double_eq_tol((double)weight[i], reference_textbook_weight[i], TOLERANCE);
    ck_assert_double_eq_tol(lg_tensor_item(lg_dense_bias(model)), reference_textbook_bias, TOLERANCE);
}
END_TEST

Suite *textbook_suite(void)
{
    Suite *suite = suite_create("textbook");
    TCase *tests = tcase_create("run");
    tcase_add_checked_fixture(tests, train_as_the_textbook, free_all);
    tcase_add_test(tests, loss_of_every_epoch_is_the_textbooks);
    tcase_add_test(tests, it_ends_at_the_textbooks_loss_and_accuracy);
    tcase_add_test(tests, weights_are_the_textbooks);
    suite_add_tcase(suite, tests);
    return suite;
}
