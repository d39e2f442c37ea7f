/* Quantile regression as a program, against optima by linear programming and the textbook's run in NumPy
 * (tests/reference/quantile.py); and that run through the library. */
#include "program.h"
#include "reference/quantile.h"
#include "scratch.h"
#include "support.h"

#include <check.h>
#include <ctype.h>
#include <luge.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SMALL "$bin/quantile --data small.csv --target y --quantiles 0.25,0.5,0.75 --folds 2 --epochs 30"

/* small.csv: 80 rows, y = 3 a - b + noise that grows with a. */
static void setup(void)
{
    program_setup();
    char text[8192] = "a,b,y\n";
    size_t used = strlen(text);
    lg_rng rng = lg_rng_seed(5);
    for (int i = 0; i < 80; i++) {
        const double a = (double)i / 20, b = lg_rng_normal(&rng);
        used += (size_t)snprintf(text + used, sizeof text - used, "%.4f,%.4f,%.4f\n", a, b,
                                 3 * a - b + (0.2 + a / 4) * lg_rng_normal(&rng));
    }
    program_write("small.csv", text);
}

static double metric(const char *file, const char *part, double tau, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "metrics.%s.q%g.%s", part, 100 * tau, name);
    return program_fact(file, path);
}

/* Within a share of the optimum, which cannot be undercut. */
static void expect_optima(const char *file, size_t count, const struct reference_quantile *optima, double share)
{
    for (size_t q = 0; q < count; q++) {
        const double found = metric(file, "train", optima[q].tau, "pinball");
        ck_assert_msg(found >= optima[q].pinball * (1 - 1e-6) && found <= optima[q].pinball * (1 + share),
                      "quantile %g: %.7f, optimum %.7f: %+.4f%%", optima[q].tau, found, optima[q].pinball,
                      100 * (found / optima[q].pinball - 1));
    }
}

/* ------------------------------------------------------------------ optima */

START_TEST(the_default_run_comes_to_the_optima_and_lines_of_engels_data)
{
    ck_assert_int_eq(program_run("$bin/quantile --out r"), 0);
    expect_optima("r/run.json", COUNT(reference_engel), reference_engel, 0.001);
    const double published[] = { 16.46780, 30.13751, 37.36156, 27.78404, 14.43397 };
    char *lines = strdup(program_file("r/lines.csv")), *line = lines;
    ck_assert_int_eq(strncmp(line, "quantile,(intercept),\"income\"\n", 30), 0);
    for (size_t q = 0; q < 5; q++) {
        double tau, intercept, slope;
        line = strchr(line, '\n') + 1;
        ck_assert_int_eq(sscanf(line, "%lf,%lf,%lf", &tau, &intercept, &slope), 3);
        ck_assert_double_eq(tau, reference_engel[q].tau);
        ck_assert_double_eq_tol(intercept, reference_engel[q].intercept, 0.2);
        ck_assert_double_eq_tol(slope, reference_engel[q].slope, 2e-4);
        ck_assert_double_eq_tol(reference_engel[q].pinball, published[q], 1e-5);
        /* At the optimum no more than tau of the rows lie below, and with the two on the line no fewer. */
        const double coverage = metric("r/run.json", "train", tau, "coverage");
        ck_assert_double_eq_tol(coverage, tau, 2.0 / 235);
        ck_assert_double_eq_tol(metric("r/run.json", "held_out", tau, "coverage"), tau, 0.03);
        /* Unseen rows cost more than seen ones: over six random divisions, by linear programming, 0.5% to 15%. */
        ck_assert_double_gt(metric("r/run.json", "held_out", tau, "pinball"), 1.003 * reference_engel[q].pinball);
        ck_assert_double_lt(metric("r/run.json", "held_out", tau, "pinball"), 1.15 * reference_engel[q].pinball);
    }
    free(lines);
    ck_assert_double_eq(program_fact("r/run.json", "metrics.train.crossings"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "held out, 5 folds"));
}
END_TEST

START_TEST(another_batch_size_or_optimizer_comes_there_as_well)
{
    const char *const ways[] = { "--batch-size 16 --epochs 200", "--optimizer sgd --lr 1 --epochs 3000",
                                 "--optimizer rmsprop --lr 0.02", "--epochs 3000 --lr 0.2" };
    for (size_t i = 0; i < COUNT(ways); i++) {
        ck_assert_int_eq(program_run("$bin/quantile --folds 0 --out r --overwrite %s", ways[i]), 0);
        expect_optima("r/run.json", COUNT(reference_engel), reference_engel, 0.001);
    }
}
END_TEST

START_TEST(several_features_come_to_their_optima)
{
    ck_assert_int_eq(program_run("$bin/quantile --data $source/data/iris.csv --skip-lines 1 --target 3 --folds 0 --out r "
                                 "--quantiles 0.1,0.5,0.9 --epochs 3000"), 0);
    expect_optima("r/run.json", COUNT(reference_iris), reference_iris, 0.005);
}
END_TEST

START_TEST(a_small_network_goes_below_the_lines)
{
    ck_assert_int_eq(program_run("$bin/quantile --hidden 16 --quantiles 0.1,0.5,0.9 --folds 0 --out r"), 0);
    ck_assert_double_lt(metric("r/run.json", "train", 0.1, "pinball"), 0.97 * reference_engel[0].pinball);
    ck_assert_double_lt(metric("r/run.json", "train", 0.5, "pinball"), 0.97 * reference_engel[2].pinball);
    ck_assert_double_lt(metric("r/run.json", "train", 0.9, "pinball"), 0.99 * reference_engel[4].pinball);
    ck_assert(!program_has("r/lines.csv"));
}
END_TEST

START_TEST(a_price_on_crossings_makes_them_fewer)
{
#define PENGUINS                                                                                                     \
    "$bin/quantile --data $source/data/penguins.csv --target body_mass_g --missing drop --folds 0 --epochs 300 "      \
    "--quantiles 0.45,0.5,0.55 "
    ck_assert_int_eq(program_run(PENGUINS "--out free && " PENGUINS "--crossing-penalty 5 --out priced"), 0);
    const double crossings = program_fact("free/run.json", "metrics.train.crossings");
    ck_assert_double_ge(crossings, 4);
    ck_assert_double_lt(program_fact("priced/run.json", "metrics.train.crossings"), crossings / 2);
}
END_TEST

/* ---------------------------------------------------------------- textbook */

static const double textbook_tolerance = LG_REAL_BITS == 64 ? 1e-9 : 5e-5;

START_TEST(the_textbooks_run_is_the_textbooks)
{
    ck_assert_int_eq(program_run("$bin/quantile --textbook --out r"), 0);
    ck_assert_double_eq_tol(metric("r/run.json", "train", 0.75, "pinball"), reference_textbook_loss, textbook_tolerance);
    ck_assert_double_eq_tol(metric("r/run.json", "train", 0.75, "pinball"), 0.1584422085, textbook_tolerance + 1e-10);
    double w, b;
    ck_assert_int_eq(sscanf(strchr(program_file("r/lines.csv"), '\n'), "\n0.75,%lf,%lf", &b, &w), 2);
    ck_assert_double_eq_tol(w, reference_textbook_w, textbook_tolerance);
    ck_assert_double_eq_tol(b, reference_textbook_b, textbook_tolerance);
    lg_history *history = lg_history_read(program_path("r/history.csv"));
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_history_rows(history), 1000);
    const double *loss = lg_history_column(history, "loss", NULL);
    for (size_t i = 0; i < COUNT(reference_textbook_losses); i++)
        ck_assert_double_eq_tol(loss[100 * i], reference_textbook_losses[i], textbook_tolerance);
    lg_history_free(history);
}
END_TEST

static lg_tensor *textbook_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    lg_tensor *predicted = lg_dense_apply(tape, model, lg_batch_x(tape, batch)); /* [batch, 1] */
    return lg_quantile(tape, predicted, lg_batch_y(tape, batch), 0.75, NULL);
}

START_TEST(the_textbooks_run_through_the_library_is_the_same)
{
    lg_dataset *data = lg_dataset_read_csv(data_file("quantile_textbook.csv.gz"), &(lg_csv_options){ .target = "y" });
    ck_assert_msg(data != NULL, "%s", lg_error());
    lg_params *params = lg_params_new();
    lg_dense *line = lg_dense_new_with(params, "line", 1, 1, &(lg_dense_options){ .init = LG_INIT_ZEROS }, NULL);
    lg_optimizer *sgd = lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 0.01 });
    lg_history *history = lg_fit(textbook_step, line, sgd, data, &(lg_fit_options){ .epochs = 1000,
                                                                                   .batch_size = 1000,
                                                                                   .no_shuffle = true,
                                                                                   .verbose = LG_SILENT });
    ck_assert_msg(history != NULL, "%s", lg_error());
    const double *loss = lg_history_column(history, "loss", NULL);
    for (size_t i = 0; i < COUNT(reference_textbook_losses); i++)
        ck_assert_double_eq_tol(loss[100 * i], reference_textbook_losses[i], textbook_tolerance);
    ck_assert_double_eq_tol((double)lg_tensor_data(lg_dense_weight(line))[0], reference_textbook_w, textbook_tolerance);
    ck_assert_double_eq_tol((double)lg_tensor_data(lg_dense_bias(line))[0], reference_textbook_b, textbook_tolerance);
    lg_history_free(history);
    lg_optimizer_free(sgd);
    lg_params_free(params);
    lg_dataset_free(data);
}
END_TEST

/* ------------------------------------------------------------------- files */

/* Everything that is reported, computed again from predictions.csv. */
START_TEST(predictions_csv_holds_what_is_reported)
{
    ck_assert_int_eq(program_run(SMALL " --out r --validation-split 0.1"), 0);
    const double tau[] = { 0.25, 0.5, 0.75 };
    const char *text = program_file("r/predictions.csv");
    const char *header = "row,part,target,q25,q50,q75,loss,held_out_q25,held_out_q50,held_out_q75\n";
    ck_assert_int_eq(strncmp(text, header, strlen(header)), 0);
    ck_assert_uint_eq(count_lines(text), 81);
    double pinball[3] = { 0 }, covered[3] = { 0 }, crossings = 0, rows = 0;
    for (const char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        char part[16];
        double y, p[3], loss, own = 0, held_out;
        ck_assert_int_eq(sscanf(line, "%*u,%15[a-z],%lf,%lf,%lf,%lf,%lf,%lf", part, &y, &p[0], &p[1], &p[2], &loss,
                                &held_out), 7);
        for (size_t q = 0; q < 3; q++)
            own += fmax(tau[q] * (y - p[q]), (tau[q] - 1) * (y - p[q])) / 3;
        ck_assert_double_eq_tol(loss, own, 1e-5);
        ck_assert_int_eq(isnan(held_out) != 0, strcmp(part, "train") != 0);
        if (strcmp(part, "train") != 0)
            continue;
        rows++;
        crossings += p[0] > p[1] || p[1] > p[2];
        for (size_t q = 0; q < 3; q++) {
            pinball[q] += fmax(tau[q] * (y - p[q]), (tau[q] - 1) * (y - p[q]));
            covered[q] += y <= p[q];
        }
    }
    ck_assert_double_eq(rows, 72);
    for (size_t q = 0; q < 3; q++) {
        char column[64];
        snprintf(column, sizeof column, "training.last.train_pinball_q%g", 100 * tau[q]);
        ck_assert_double_eq_tol(metric("r/run.json", "train", tau[q], "pinball"), pinball[q] / rows, 1e-5);
        ck_assert_double_eq_tol(metric("r/run.json", "train", tau[q], "coverage"), covered[q] / rows, 1e-9);
        ck_assert_double_eq_tol(program_fact("r/run.json", column), pinball[q] / rows, 1e-5);
    }
    ck_assert_double_eq(program_fact("r/run.json", "metrics.train.crossings"), crossings);
}
END_TEST

/* Lines are in the data's units. */
START_TEST(lines_csv_predicts_as_predictions_csv_does)
{
    ck_assert_int_eq(program_run(SMALL "0 --out r"), 0);
    double intercept, slope[2], x[2], predicted;
    ck_assert_int_eq(sscanf(strstr(program_file("r/lines.csv"), "\n0.5,"), "\n0.5,%lf,%lf,%lf", &intercept, slope,
                            slope + 1), 3);
    ck_assert_int_eq(sscanf(strchr(program_file("small.csv"), '\n') + 1, "%lf,%lf", x, x + 1), 2);
    ck_assert_int_eq(sscanf(strchr(program_file("r/predictions.csv"), '\n') + 1, "0,train,%*f,%*f,%lf", &predicted), 1);
    ck_assert_double_eq_tol(predicted, intercept + slope[0] * x[0] + slope[1] * x[1], 1e-4);
    ck_assert_double_eq_tol(slope[0], 3, 0.5);
    ck_assert_double_eq_tol(slope[1], -1, 0.5);
}
END_TEST

static double number_of(const lg_safetensors *file, const char *name, size_t i)
{
    lg_tensor *tensor = lg_safetensors_tensor(file, name);
    ck_assert_msg(tensor != NULL, "%s", lg_error());
    ck_assert_uint_lt(i, lg_tensor_size(tensor));
    const double number = (double)lg_tensor_data(tensor)[i];
    lg_tensor_free(tensor);
    return number;
}

/* A network of three tanh units, computed by hand from the file for the first row of small.csv. */
START_TEST(the_model_file_is_the_model)
{
    ck_assert_int_eq(program_run(SMALL "0 --hidden 3 --out r"), 0);
    lg_safetensors *file = lg_safetensors_open(program_path("r/model.safetensors"));
    ck_assert_msg(file != NULL, "%s", lg_error());
    double x[2], expected[3];
    ck_assert_int_eq(sscanf(strchr(program_file("small.csv"), '\n') + 1, "%lf,%lf", x, x + 1), 2);
    ck_assert_int_eq(sscanf(strchr(program_file("r/predictions.csv"), '\n') + 1, "0,train,%*f,%lf,%lf,%lf", expected,
                            expected + 1, expected + 2), 3);
    for (size_t k = 0; k < 2; k++)
        x[k] = (x[k] - number_of(file, "input.means", k)) / number_of(file, "input.deviations", k);
    for (size_t q = 0; q < 3; q++) {
        double output = number_of(file, "quantiles.bias", q);
        for (size_t j = 0; j < 3; j++)
            output += number_of(file, "quantiles.weight", 3 * q + j) *
                      tanh(number_of(file, "dense_1.bias", j) + number_of(file, "dense_1.weight", 2 * j) * x[0] +
                           number_of(file, "dense_1.weight", 2 * j + 1) * x[1]);
        ck_assert_double_eq_tol(number_of(file, "target.centre", 0) + number_of(file, "target.unit", 0) * output,
                                expected[q], 1e-4);
        ck_assert_double_eq_tol(number_of(file, "quantiles", q), 0.25 * (double)(q + 1), 1e-7);
    }
    lg_safetensors_close(file);
}
END_TEST

START_TEST(history_has_what_is_reported_of_every_part)
{
    ck_assert_int_eq(program_run("$bin/quantile --data small.csv --target y --quantiles 0.025,0.5 --epochs 3 --out r "
                                 "--validation-split 0.2 --test-split 0.2"), 0);
    const char *header = "epoch,loss,train_loss,train_pinball_q2_5,train_coverage_q2_5,train_pinball_q50,train_coverage_q50,"
                         "train_crossings,val_loss,val_pinball_q2_5,val_coverage_q2_5,val_pinball_q50,val_coverage_q50,"
                         "val_crossings,learning_rate,seconds\n";
    ck_assert_int_eq(strncmp(program_file("r/history.csv"), header, strlen(header)), 0);
    ck_assert_uint_eq(count_lines(program_file("r/history.csv")), 4);
    ck_assert_double_eq(program_fact("r/run.json", "data.parts.test"), 16);
    ck_assert_double_gt(metric("r/run.json", "test", 0.5, "pinball"), 0);
    ck_assert_ptr_null(strstr(program_file("out"), "held out"));
    ck_assert_ptr_null(strstr(program_file("r/predictions.csv"), "held_out"));
}
END_TEST

START_TEST(the_same_seed_gives_the_same_predictions)
{
    ck_assert_int_eq(program_run(SMALL " --hidden 4 --out a && " SMALL " --hidden 4 --out b && " SMALL
                                       " --hidden 4 --out c --seed 7"), 0);
    ck_assert_str_eq(program_file("a/predictions.csv"), program_file("b/predictions.csv"));
    ck_assert_str_ne(program_file("a/predictions.csv"), program_file("c/predictions.csv"));
}
END_TEST

START_TEST(output_in_a_pipe_is_plain_text)
{
    ck_assert_int_eq(program_run(SMALL " | cat"), 0);
    const char *text = program_file("out");
    ck_assert_ptr_nonnull(strstr(text, "Epoch 30/30 - "));
    for (; *text; text++)
        ck_assert_msg(isprint((unsigned char)*text) || *text == '\n', "byte %d", *text);
}
END_TEST

START_TEST(pictures_are_whole_where_gnuplot_is_installed)
{
    if (program_run("command -v gnuplot") != 0)
        return;
    ck_assert_int_eq(program_run("$bin/quantile --epochs 30 --test-split 0.2 --out line && " SMALL " --out many"), 0);
    ck_assert_str_eq(program_file("err"), "");
    ck_assert_ptr_nonnull(strstr(program_file("line/loss.svg"), "</svg>"));
    ck_assert_ptr_nonnull(strstr(program_file("line/quantiles.svg"), ">income<"));
    ck_assert_ptr_nonnull(strstr(program_file("line/quantiles.svg"), ">test<"));
    ck_assert_ptr_nonnull(strstr(program_file("many/quantiles.svg"), ">prediction of quantile 0.5<"));
    ck_assert_ptr_nonnull(strstr(program_file("many/quantiles.svg"), "</svg>"));
}
END_TEST

/* ------------------------------------------------------------------ models */

/* hand.safetensors: the quantiles 0.25 and 0.75 of a, by lines that are written down here; but for one thing that is as
 * asked. */
typedef struct hand_model {
    double tau[2], unit;
    const char *layers, *kind;
} hand_model;

static const hand_model sound = { { 0.25, 0.75 }, 4, "1,2", "quantile regression" };

static void write_by_hand(hand_model model)
{
    const lg_real weight[2] = { (lg_real)0.5, 2 }, bias[2] = { -1, (lg_real)0.125 };
    const double mean = 3, deviation = 2, centre = 100;
    const size_t one = 1, two = 2;
    const lg_file_entry entries[] = { { "quantiles.weight", LG_FILE_REAL, 2, (const size_t[]){ 2, 1 }, weight },
                                      { "quantiles.bias", LG_FILE_REAL, 1, &two, bias },
                                      { "quantiles", LG_FILE_F64, 1, &two, model.tau },
                                      { "input.means", LG_FILE_F64, 1, &one, &mean },
                                      { "input.deviations", LG_FILE_F64, 1, &one, &deviation },
                                      { "target.centre", LG_FILE_F64, 0, NULL, &centre },
                                      { "target.unit", LG_FILE_F64, 0, NULL, &model.unit } };
    const lg_metadata texts[] = { { "kind", model.kind }, { "layers", model.layers }, { "features", "[\"a\"]" },
                                  { "categories", "[]" } };
    ck_assert_int_eq(lg_safetensors_write(program_path("hand.safetensors"), entries, COUNT(entries), texts, COUNT(texts)),
                     LG_OK);
}

/* centre + unit (weight (a - mean) / deviation + bias), in numbers that are exact in binary. */
START_TEST(a_model_that_another_program_wrote_predicts)
{
    write_by_hand(sound);
    program_write("rows.csv", "b,a\n9,3\n9,7\n");
    program_ok("$bin/quantile --load hand.safetensors --predict rows.csv --out -");
    ck_assert_str_eq(program_file("out"), "row,q25,q75\n0,96,100.5\n1,100,116.5\n");
    ck_assert(!program_has("runs"));
}
END_TEST

START_TEST(models_that_cannot_be_are_refused)
{
    program_write("rows.csv", "a\n3\n");
#define REFUSED(said) program_refused(1, said, "$bin/quantile --load hand.safetensors --predict rows.csv --out refused")
    hand_model model = sound;
    model.tau[1] = 0.25;
    write_by_hand(model);
    REFUSED("its list of quantiles is not there or not as it should be");
    model.tau[1] = NAN;
    write_by_hand(model);
    REFUSED("its list of quantiles");
    model = sound;
    model.unit = 0;
    write_by_hand(model);
    REFUSED("its scale of the target");
    model = sound;
    model.layers = "1,3";
    write_by_hand(model);
    REFUSED("it has no layer \"quantiles\" from 1 to 3");
    model.layers = "1,99999999999999999999";
    write_by_hand(model);
    REFUSED("its text \"layers\"");
    model = sound;
    model.kind = "linear support vector machine";
    write_by_hand(model);
    REFUSED("is a model of another kind: \"linear support vector machine\", not \"quantile regression\"");
    write_by_hand(sound);
    program_ok("head -c -8 hand.safetensors >cut && head -c 300 /dev/urandom >garbage");
    program_refused(1, "ends beyond the end of the file", "$bin/quantile --load cut --predict rows.csv --out refused");
    program_refused(1, "garbage: ", "$bin/quantile --load garbage --predict rows.csv --out refused");
}
END_TEST

START_TEST(rows_of_training_are_predicted_as_in_their_run)
{
    program_ok(SMALL "0 --hidden 3 --out r");
    program_ok("awk -F, '{print \"n\" NR \",\" $2 \",\" $1}' small.csv | sed '1s/.*/note,b,a/' >turned.csv");
    program_ok("$bin/quantile --load r --predict turned.csv --out again");
    program_ok("cut -d, -f1,4-6 r/predictions.csv | cmp - again/predictions.csv");
    ck_assert_uint_eq(count_lines(program_file("again/predictions.csv")), 81);
    program_ok("cut -d, -f1,2 turned.csv >less.csv");
    program_refused(1, "less.csv: the feature \"a\" is missing", "$bin/quantile --load r --predict less.csv --out refused");
    program_refused(1, "standard output: No space left on device",
                    "$bin/quantile --load r --predict turned.csv --out - >/dev/full");
    ck_assert_int_eq(program_run("trap '' XFSZ; ulimit -f 1; $bin/quantile --load r --predict turned.csv --out full"), 1);
    program_ok("ls -A full");
    ck_assert_ptr_null(strstr(program_file("out"), "p"));
}
END_TEST

/* With a rate that moves nothing a model stays what it was; with one that does it goes on from there. */
START_TEST(training_goes_on_from_the_model_that_is_loaded)
{
    program_ok(SMALL "0 --hidden 3 --epochs 3 --out r");
    program_ok("$bin/quantile --load r --data small.csv --target y --epochs 1 --lr 1e-30 --out still");
    program_ok("cut -d, -f1,4-7 r/predictions.csv >a && cut -d, -f1,4-7 still/predictions.csv | cmp - a");
    ck_assert_double_eq(program_fact("still/run.json", "training.last.train_loss"),
                        program_fact("r/run.json", "training.last.train_loss"));
    program_ok("$bin/quantile --load still --data small.csv --target y --epochs 200 --out more");
    ck_assert_double_lt(program_fact("more/run.json", "training.last.train_loss"),
                        0.8 * program_fact("r/run.json", "training.last.train_loss"));
    /* The scale stays that of the first run, where that of the new data is another. */
    program_ok("sed '2,61d' small.csv >rest.csv && $bin/quantile --load r --data rest.csv --target y --epochs 2 --out rest");
    lg_safetensors *first = lg_safetensors_open(program_path("r/model.safetensors"));
    lg_safetensors *second = lg_safetensors_open(program_path("rest/model.safetensors"));
    ck_assert(first && second);
    ck_assert_double_eq(number_of(first, "target.centre", 0), number_of(second, "target.centre", 0));
    ck_assert_double_eq(number_of(first, "input.means", 0), number_of(second, "input.means", 0));
    lg_safetensors_close(first);
    lg_safetensors_close(second);
    program_refused(1, "is a model of 2 features, but the data have 1", "$bin/quantile --load r --out refused");
}
END_TEST

/* ------------------------------------------------------------------ errors */

static const struct {
    const char *arguments, *said;
} usage_errors[] = {
    { "--quantiles 0.5,0.1", "--quantiles: 0.1 after 0.5: they have to ascend" },
    { "--quantiles 0,0.5", "--quantiles: \"0,0.5\" is not a list of 1 to 19, each a number from 0 (excluded) to 1" },
    { "--quantiles 0.5,", "--quantiles: \"0.5,\"" },
    { "--quantiles nan", "--quantiles: \"nan\"" },
    { "--hidden 0", "--hidden: \"0\"" },
    { "--crossing-penalty -1", "--crossing-penalty: \"-1\"" },
    { "--folds 1", "--folds: 1 leaves nothing to train on" },
    { "--missing guess", "--missing: \"guess\" is not one of error, mean, median, drop" },
    { "--data small.csv", "--data needs --target" },
    { "--target y", "--target needs --data" },
    { "--load m --quantiles 0.5", "--load: the model decides that: no --quantiles" },
    { "--load m --hidden 3", "--load: the model decides that: no --hidden" },
    { "--load m --folds 3", "--folds: a model that is loaded may have seen every row" },
    { "--load m --predict small.csv --lr 1", "--predict trains nothing: no --lr" },
};

START_TEST(usage_errors_exit_2_and_say_what_is_allowed)
{
    ck_assert_msg(program_run("$bin/quantile %s", usage_errors[_i].arguments) == 2, "%s", usage_errors[_i].arguments);
    ck_assert_str_eq(program_file("out"), "");
    ck_assert_msg(strstr(program_file("err"), usage_errors[_i].said) != NULL, "%s", program_file("err"));
    ck_assert(!program_has("runs"));
}
END_TEST

/* Exit 1, and one line "quantile: ..." on stderr that holds `said`. */
static void check_failure(const char *said)
{
    const char *message = program_file("err");
    ck_assert_msg(strncmp(message, "quantile: ", 10) == 0 && strstr(message, said) != NULL, "%s", message);
    ck_assert_uint_eq(count_lines(message), 1);
}

START_TEST(bad_data_is_one_line)
{
    ck_assert_int_eq(program_run("$bin/quantile --data missing.csv --target y"), 1);
    check_failure("missing.csv: ");
    ck_assert_int_eq(program_run(": > empty.csv; $bin/quantile --data empty.csv --target y"), 1);
    check_failure("empty.csv");
    ck_assert_int_eq(program_run("$bin/quantile --data $source/data/penguins.csv --target species"), 1);
    check_failure("penguins.csv:2: column \"species\"");
    ck_assert_int_eq(program_run("$bin/quantile --data $source/data/penguins.csv --target body_mass_g --missing mean"), 1);
    check_failure("penguins.csv:5: column \"body_mass_g\"");
    program_write("one.csv", "a,y\n1,2\n");
    ck_assert_int_eq(program_run("$bin/quantile --data one.csv --target y"), 1);
    check_failure("5 folds want as many rows to train on, but there are 1");
    ck_assert(!program_has("runs")); /* said before anything is trained */
    ck_assert_int_eq(program_run("$bin/quantile --data one.csv --target y --folds 0 --out one"), 0);
    ck_assert_double_eq_tol(metric("one/run.json", "train", 0.5, "pinball"), 0, 1e-3);
}
END_TEST

START_TEST(a_full_disk_is_one_line_and_leaves_no_piece)
{
    ck_assert_int_eq(program_run(SMALL " > /dev/full"), 1);
    check_failure(": No space left on device");
    ck_assert_int_eq(program_run("trap '' XFSZ; ulimit -f 12; " SMALL " --out r"), 1);
    check_failure(": File too large");
    ck_assert_int_eq(program_run("ls -A r"), 0);
    ck_assert_ptr_null(strstr(program_file("out"), "partial"));
}
END_TEST

START_TEST(help_tells_the_defaults)
{
    ck_assert_int_eq(program_run("$bin/quantile --help"), 0);
    const char *const told[] = { "0.1,0.25,0.5,0.75,0.9", "5000 steps", "(default: 0.02)", "--textbook", "--predict", "--load without --predict",
                                 "Examples:" };
    for (size_t i = 0; i < COUNT(told); i++)
        ck_assert_msg(strstr(program_file("out"), told[i]) != NULL, "--help does not tell %s", told[i]);
}
END_TEST

Suite *quantile_suite(void)
{
    Suite *suite = suite_create("quantile");
    TCase *optima = tcase_create("optima");
    tcase_add_checked_fixture(optima, setup, program_teardown);
    tcase_set_timeout(optima, 20);
    tcase_add_test(optima, the_default_run_comes_to_the_optima_and_lines_of_engels_data);
    tcase_add_test(optima, another_batch_size_or_optimizer_comes_there_as_well);
    tcase_add_test(optima, several_features_come_to_their_optima);
    tcase_add_test(optima, a_small_network_goes_below_the_lines);
    tcase_add_test(optima, a_price_on_crossings_makes_them_fewer);
    tcase_add_test(optima, the_textbooks_run_is_the_textbooks);
    tcase_add_test(optima, the_textbooks_run_through_the_library_is_the_same);
    suite_add_tcase(suite, optima);

    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, setup, program_teardown);
    tcase_set_timeout(files, 10);
    tcase_add_test(files, predictions_csv_holds_what_is_reported);
    tcase_add_test(files, lines_csv_predicts_as_predictions_csv_does);
    tcase_add_test(files, the_model_file_is_the_model);
    tcase_add_test(files, history_has_what_is_reported_of_every_part);
    tcase_add_test(files, the_same_seed_gives_the_same_predictions);
    tcase_add_test(files, output_in_a_pipe_is_plain_text);
    tcase_add_test(files, pictures_are_whole_where_gnuplot_is_installed);
    suite_add_tcase(suite, files);

    TCase *models = tcase_create("models");
    tcase_add_checked_fixture(models, setup, program_teardown);
    tcase_set_timeout(models, 10);
    tcase_add_test(models, a_model_that_another_program_wrote_predicts);
    tcase_add_test(models, models_that_cannot_be_are_refused);
    tcase_add_test(models, rows_of_training_are_predicted_as_in_their_run);
    tcase_add_test(models, training_goes_on_from_the_model_that_is_loaded);
    suite_add_tcase(suite, models);

    TCase *errors = tcase_create("errors");
    tcase_add_checked_fixture(errors, setup, program_teardown);
    tcase_add_loop_test(errors, usage_errors_exit_2_and_say_what_is_allowed, 0, (int)COUNT(usage_errors));
    tcase_add_test(errors, bad_data_is_one_line);
    tcase_add_test(errors, a_full_disk_is_one_line_and_leaves_no_piece);
    tcase_add_test(errors, help_tells_the_defaults);
    suite_add_tcase(suite, errors);
    return suite;
}
