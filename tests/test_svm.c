/* The support vector machine as a program, against scikit-learn's optima (tests/reference/svm.py) and the textbook's
 * descent in NumPy. */
#include "program.h"
#include "reference/svm.h"
#include "support.h"

#include <check.h>
#include <ctype.h>
#include <luge.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL "$bin/svm --data small.csv --target kind --folds 2 --epochs 3"

/* small.csv: 60 rows of two kinds, whose a is higher for "yes"; b says nothing. */
static void setup(void)
{
    program_setup();
    char text[8192] = "a,b,kind\n";
    size_t used = strlen(text);
    lg_rng rng = lg_rng_seed(11);
    for (int i = 0; i < 60; i++) {
        const double shift = i % 3 ? 0 : 3;
        used += (size_t)snprintf(text + used, sizeof text - used, "%.4f,%.4f,%s\n", lg_rng_normal(&rng) + shift,
                                 lg_rng_normal(&rng), i % 3 ? "no" : "yes");
    }
    program_write("small.csv", text);
}

/* Above the optimum, and by no more than a share of it. */
static void expect_optimum(const char *file, double optimum, double share)
{
    const double objective = program_fact(file, "metrics.objective");
    ck_assert_msg(objective >= optimum * (1 - 1e-6) && objective <= optimum * (1 + share),
                  "objective %.8f, optimum %.8f: %+.3f%%", objective, optimum, 100 * (objective / optimum - 1));
}

/* The columns of weights.csv for a line that begins with "name" in quotes. */
static void weight_of(const char *file, const char *name, double columns[3])
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\n\"%s\",", name);
    const char *line = strstr(program_file(file), quoted);
    ck_assert_msg(line != NULL, "%s has no %s", file, name);
    ck_assert_int_eq(sscanf(line + strlen(quoted), "%lf,%lf,%lf", columns, columns + 1, columns + 2), 3);
}

/* ------------------------------------------------------------------ optima */

START_TEST(the_default_run_is_within_one_percent_of_the_optimum)
{
    ck_assert_int_eq(program_run("$bin/svm --out r"), 0);
    expect_optimum("r/run.json", reference_svm[0].hinge, 0.01);
    expect_optimum("r/run.json", 0.0789481, 0.01);
    ck_assert_double_eq(program_fact("r/run.json", "data.parts.train"), 569);
    ck_assert_double_eq_tol(program_fact("r/run.json", "metrics.train.accuracy"), 1 - REFERENCE_SVM_ERRORS / 569.0, 0.004);
    /* Support vectors on the margin itself fall to either side of it: scikit-learn has 51 within and 14 upon. */
    const double violations = program_fact("r/run.json", "metrics.train.margin_violations");
    ck_assert(violations >= REFERENCE_SVM_VIOLATIONS - 14 && violations <= REFERENCE_SVM_VIOLATIONS + 14);
    ck_assert_double_eq_tol(program_fact("r/run.json", "metrics.held_out.accuracy"), reference_svm_folds_accuracy, 0.012);
    ck_assert_double_gt(program_fact("r/run.json", "metrics.held_out.mean_hinge"),
                        1.15 * program_fact("r/run.json", "metrics.train.mean_hinge"));

    /* What is printed is what is noted; the heaviest feature is scikit-learn's. */
    char objective[64];
    snprintf(objective, sizeof objective, "Objective %.7f = 0.01 |w|^2 + mean hinge",
             program_fact("r/run.json", "metrics.objective"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), objective));
    const char *features = strstr(program_file("out"), "features that weigh most");
    ck_assert_ptr_nonnull(features);
    ck_assert_int_eq(strncmp(strchr(features, '\n') + 1, "     -0.4", 9), 0);
    ck_assert_ptr_nonnull(strstr(features, "worst texture                towards malignant"));
}
END_TEST

START_TEST(weights_are_those_of_scikit_learn)
{
    ck_assert_int_eq(program_run("$bin/svm --out r --folds 0 --epochs 400"), 0);
    double distance = 0, norm = 0, columns[3];
    const char *line = strchr(program_file("r/weights.csv"), '\n') + 1;
    for (size_t i = 0; i < 30; i++, line = strchr(line, '\n') + 1) {
        ck_assert_int_eq(sscanf(strchr(line, ',') + 1, "%lf", columns), 1);
        distance += pow(columns[0] - reference_svm_weights[i], 2);
        norm += pow(reference_svm_weights[i], 2);
    }
    /* lambda |w - w*|^2 is at most what the objective is above the optimum. */
    ck_assert_double_lt(0.01 * distance, program_fact("r/run.json", "metrics.objective") - reference_svm[0].hinge + 1e-6);
    ck_assert_double_lt(sqrt(distance), 0.1 * sqrt(norm));
    weight_of("r/weights.csv", "(bias)", columns);
    ck_assert_double_eq_tol(columns[0], reference_svm_bias, 0.03);
    weight_of("r/weights.csv", "mean radius", columns);
    ck_assert_double_eq_tol(columns[1], 14.127292, 1e-5); /* mean and deviation: NumPy */
    ck_assert_double_eq_tol(columns[2], 3.520951, 1e-5);
}
END_TEST

START_TEST(other_data_come_to_their_optima_with_both_losses)
{
    for (size_t i = 0; i < sizeof reference_svm / sizeof *reference_svm; i++) {
        const struct reference_svm *r = &reference_svm[i];
        const bool nuclei = r->positive == NULL, tight = r->lambda < 0.01;
        for (int squared = 0; squared < 2; squared++) {
            ck_assert_msg(program_run("$bin/svm --folds 0 --overwrite --out r --data $source/data/%s %s --target=%s %s %s "
                                      "--lambda %g --loss %s --epochs %d", r->data, nuclei ? "--skip-lines 1" : "",
                                      r->target, nuclei ? "" : "--positive", nuclei ? "" : r->positive, r->lambda,
                                      squared ? "squared_hinge" : "hinge", strstr(r->data, "spam") ? 30 : 200) == 0,
                          "%s", program_file("err"));
            expect_optimum("r/run.json", squared ? r->squared_hinge : r->hinge, tight ? 0.15 : 0.01);
        }
    }
}
END_TEST

/* A tenth of the weight on |w|^2 makes the problem ten times harder; more epochs get there. */
START_TEST(more_epochs_come_nearer)
{
    ck_assert_int_eq(program_run("$bin/svm --folds 0 --lambda 0.001 --epochs 1000 --out r"), 0);
    expect_optimum("r/run.json", reference_svm[1].hinge, 0.015);
}
END_TEST

START_TEST(the_textbooks_run_is_the_textbooks)
{
    const double tolerance = LG_REAL_BITS == 64 ? 1e-12 : 1e-5;
    ck_assert_int_eq(program_run("$bin/svm --textbook --epochs 3 --folds 0 --out r"), 0);
    ck_assert_double_eq_tol(program_fact("r/run.json", "metrics.objective"), reference_svm_textbook_objective, tolerance);
    ck_assert_double_eq_tol(program_fact("r/run.json", "training.last.train_loss"), reference_svm_textbook_objective,
                            tolerance);
    const char *line = strchr(program_file("r/weights.csv"), '\n') + 1;
    for (size_t i = 0; i < 31; i++, line = strchr(line, '\n') + 1) {
        double weight;
        ck_assert_int_eq(sscanf(strchr(line, ',') + 1, "%lf", &weight), 1);
        ck_assert_double_eq_tol(weight, i < 30 ? reference_svm_textbook_weights[i] : reference_svm_textbook_bias, tolerance);
    }
}
END_TEST

START_TEST(the_average_beats_the_last_weights_where_steps_are_constant)
{
    ck_assert_int_eq(program_run("$bin/svm --folds 0 --lr 0.05 --batch-size 1 --epochs 20 --out average && "
                                 "$bin/svm --folds 0 --lr 0.05 --batch-size 1 --epochs 20 --out last --no-average"), 0);
    ck_assert_double_lt(program_fact("average/run.json", "metrics.objective"),
                        program_fact("last/run.json", "metrics.objective"));
}
END_TEST

/* ------------------------------------------------------------------- files */

/* score = bias + sum weight (value - mean) / deviation, for the first row of small.csv. */
START_TEST(weights_csv_scores_rows_as_predictions_csv_says)
{
    ck_assert_int_eq(program_run(SMALL "00 --out r"), 0);
    double a[3], b[3], bias[3], values[2], score, loss, held_out;
    int target;
    weight_of("r/weights.csv", "a", a);
    weight_of("r/weights.csv", "b", b);
    weight_of("r/weights.csv", "(bias)", bias);
    ck_assert_int_eq(sscanf(strchr(program_file("small.csv"), '\n') + 1, "%lf,%lf", values, values + 1), 2);
    const char *text = program_file("r/predictions.csv");
    const char *header = "row,part,target,score,loss,held_out_score,held_out_loss\n";
    ck_assert_int_eq(strncmp(text, header, strlen(header)), 0);
    ck_assert_uint_eq(count_lines(text), 61);
    ck_assert_int_eq(sscanf(strchr(text, '\n') + 1, "0,train,%d,%lf,%lf,%lf", &target, &score, &loss, &held_out), 4);
    ck_assert_int_eq(target, 1);
    ck_assert_double_eq_tol(score, bias[0] + a[0] * (values[0] - a[1]) / a[2] + b[0] * (values[1] - b[1]) / b[2], 1e-5);
    ck_assert_double_eq_tol(loss, fmax(0, 1 - score), 1e-6);
    ck_assert(fabs(held_out - score) > 1e-6 && fabs(held_out - score) < 1);
}
END_TEST

START_TEST(the_model_file_has_the_weights_of_weights_csv)
{
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    lg_safetensors *file = lg_safetensors_open(program_path("r/model.safetensors"));
    ck_assert_msg(file != NULL, "%s", lg_error());
    const char *const names[] = { "a", "b" };
    lg_tensor *weight = lg_safetensors_tensor(file, "plane.weight"), *bias = lg_safetensors_tensor(file, "plane.bias");
    lg_tensor *means = lg_safetensors_tensor(file, "input.means");
    lg_tensor *deviations = lg_safetensors_tensor(file, "input.deviations");
    double columns[3];
    for (size_t k = 0; k < 2; k++) {
        weight_of("r/weights.csv", names[k], columns);
        ck_assert_double_eq((double)lg_tensor_data(weight)[k], columns[0]);
        ck_assert_double_eq((double)lg_tensor_data(means)[k], (double)(lg_real)columns[1]);
        ck_assert_double_eq((double)lg_tensor_data(deviations)[k], (double)(lg_real)columns[2]);
    }
    weight_of("r/weights.csv", "(bias)", columns);
    ck_assert_double_eq(lg_tensor_item(bias), columns[0]);
    ck_assert_str_eq(lg_safetensors_metadata(file, "kind"), "linear support vector machine");
    lg_tensor_free(weight), lg_tensor_free(bias), lg_tensor_free(means), lg_tensor_free(deviations);
    lg_safetensors_close(file);
}
END_TEST

START_TEST(parts_held_back_take_the_place_of_folds)
{
    ck_assert_int_eq(program_run(SMALL " --out r --validation-split 0.2 --test-split 0.2"), 0);
    ck_assert_double_eq(program_fact("r/run.json", "data.parts.test"), 12);
    /* of 12 rows each, where compilers' roundings may tell one apart */
    ck_assert_double_ge(program_fact("r/run.json", "metrics.test.accuracy"), 0.6);
    ck_assert_double_ge(program_fact("r/run.json", "metrics.validation.accuracy"), 0.6);
    ck_assert_ptr_null(strstr(program_file("out"), "held out"));
    ck_assert_int_eq(strncmp(program_file("r/predictions.csv"), "row,part,target,score,loss\n", 27), 0);
    const char *header = "epoch,loss,train_loss,train_accuracy,train_violations,val_loss,val_accuracy,val_violations,"
                         "learning_rate,seconds\n";
    ck_assert_int_eq(strncmp(program_file("r/history.csv"), header, strlen(header)), 0);
    ck_assert_uint_eq(count_lines(program_file("r/history.csv")), 4);
    ck_assert_double_eq_tol(program_fact("r/run.json", "training.last.train_loss"),
                            program_fact("r/run.json", "metrics.objective"), 1e-6);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_predictions)
{
    ck_assert_int_eq(program_run(SMALL " --out a && " SMALL " --out b && " SMALL " --out c --seed 7"), 0);
    ck_assert_str_eq(program_file("a/predictions.csv"), program_file("b/predictions.csv"));
    ck_assert_str_ne(program_file("a/predictions.csv"), program_file("c/predictions.csv"));
}
END_TEST

START_TEST(missing_numbers_are_filled_fold_by_fold)
{
    program_write("holes.csv", "a,b,y\n1,2,0\n2,,1\n3,1,0\n4,2,1\n5,NA,0\n6,3,1\n7,2,0\n8,1,1\n9,3,0\n1,2,1\n");
    ck_assert_int_eq(program_run("$bin/svm --data holes.csv --target y"), 1);
    ck_assert_ptr_nonnull(strstr(program_file("err"), "holes.csv:3"));
    ck_assert_int_eq(program_run("$bin/svm --data holes.csv --target y --missing median --out r"), 0);
    ck_assert_double_eq(program_fact("r/run.json", "metrics.held_out.mean_hinge"),
                        program_fact("r/run.json", "metrics.held_out.mean_hinge"));
}
END_TEST

START_TEST(output_in_a_pipe_is_plain_text)
{
    ck_assert_int_eq(program_run(SMALL " | cat"), 0);
    const char *text = program_file("out");
    ck_assert_ptr_nonnull(strstr(text, "Epoch 3/3 - "));
    for (; *text; text++)
        ck_assert_msg(isprint((unsigned char)*text) || *text == '\n', "byte %d", *text);
}
END_TEST

START_TEST(pictures_are_whole_where_gnuplot_is_installed)
{
    if (program_run("command -v gnuplot") != 0)
        return;
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    ck_assert_str_eq(program_file("err"), "");
    const char *const pictures[] = { "r/loss.svg", "r/weights.svg", "r/scores.svg" };
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(strstr(program_file(pictures[i]), "</svg>") != NULL, "%s", pictures[i]);
    ck_assert_ptr_nonnull(strstr(program_file("r/scores.svg"), ">yes<"));
}
END_TEST

/* ------------------------------------------------------------------ models */

#define ON "$bin/svm --data small.csv --target kind --folds 0 "

static const char *const machine[] = { "linear support vector machine", "hinge", "0.25", "100" };

/* hand.safetensors: a plane in a and b that is written down here, with these texts. */
static void write_by_hand(const char *kind, const char *loss, const char *lambda, const char *steps)
{
    const lg_real weight[2] = { (lg_real)0.5, -2 }, bias = (lg_real)0.25;
    const double means[2] = { 1, 3 }, deviations[2] = { 2, 4 };
    const size_t one = 1, two = 2;
    const lg_file_entry entries[] = { { "plane.weight", LG_FILE_REAL, 2, (const size_t[]){ 1, 2 }, weight },
                                      { "plane.bias", LG_FILE_REAL, 1, &one, &bias },
                                      { "input.means", LG_FILE_F64, 1, &two, means },
                                      { "input.deviations", LG_FILE_F64, 1, &two, deviations } };
    const lg_metadata texts[] = { { "kind", kind },       { "features", "[\"a\",\"b\"]" },      { "categories", "[]" },
                                  { "loss", loss },       { "classes", "[\"no\",\"yes\"]" }, { "lambda", lambda },
                                  { "steps", steps } };
    ck_assert_int_eq(lg_safetensors_write(program_path("hand.safetensors"), entries, 4, texts, 7), LG_OK);
}

/* w (x - mean) / deviation + b, in numbers that are exact in binary. */
START_TEST(a_machine_that_another_program_wrote_scores)
{
    write_by_hand(machine[0], machine[1], machine[2], machine[3]);
    program_write("rows.csv", "b,note,a\n3,x,1\n5,y,3\n");
    program_ok("$bin/svm --load hand.safetensors --predict rows.csv --out -");
    ck_assert_str_eq(program_file("out"), "row,score,class\n0,0.25,\"yes\"\n1,-0.25,\"no\"\n");
}
END_TEST

/* lambda |w|^2 + mean hinge of that plane over small.csv, with weights that do not move. */
START_TEST(training_goes_on_with_the_plane_the_scale_the_loss_and_the_lambda_of_the_model)
{
    write_by_hand(machine[0], "squared_hinge", machine[2], machine[3]);
    program_ok("$bin/svm --load hand.safetensors --data small.csv --target kind --epochs 1 --lr 1e-30 --out r");
    double sum = 0, rows = 0, a, b;
    char kind[8];
    for (const char *line = strchr(program_file("small.csv"), '\n') + 1; *line; line = strchr(line, '\n') + 1, rows++) {
        ck_assert_int_eq(sscanf(line, "%lf,%lf,%7[a-z]", &a, &b, kind), 3);
        const double score = 0.5 * (a - 1) / 2 - 2 * (b - 3) / 4 + 0.25;
        sum += pow(fmax(0, 1 - (strcmp(kind, "yes") == 0 ? score : -score)), 2);
    }
    ck_assert_double_eq(rows, 60);
    ck_assert_double_eq_tol(program_fact("r/run.json", "training.last.train_loss"), 0.25 * 4.25 + sum / rows, 1e-5);
    ck_assert_double_eq(program_fact("r/run.json", "arguments.lambda"), 0.25);
    ck_assert_double_eq(program_fact("r/run.json", "arguments.folds"), 0);
    program_ok("$bin/svm --load hand.safetensors --data small.csv --target kind --epochs 1 --lr 1e-30 --out other "
               "--lambda 0.5 --loss hinge");
    ck_assert_double_eq(program_fact("other/run.json", "arguments.lambda"), 0.5);
    ck_assert_ptr_nonnull(strstr(program_file("other/run.json"), "\"loss\": \"hinge\""));
}
END_TEST

/* A machine goes on from where it was; with the steps behind it forgotten, the first ones throw it far off. */
START_TEST(steps_are_counted_on)
{
    program_ok(ON "--epochs 200 --out r");
    const double objective = program_fact("r/run.json", "metrics.objective");
    program_ok("$bin/svm --load r --data small.csv --target kind --epochs 1 --out more");
    ck_assert_double_lt(program_fact("more/run.json", "training.last.loss"), 1.05 * objective);
    ck_assert_double_lt(program_fact("more/run.json", "metrics.objective"), 1.02 * objective);
    program_ok("sed 's/\"steps\":\"800\"/\"steps\":\"000\"/' r/model.safetensors >forgetful && ! cmp -s r/model.safetensors "
               "forgetful && $bin/svm --load forgetful --data small.csv --target kind --epochs 1 --out anew");
    ck_assert_double_gt(program_fact("anew/run.json", "training.last.loss"), 2 * objective);
    /* 60 rows in batches of 16: 4 steps an epoch */
    ck_assert_ptr_nonnull(strstr(program_file("more/model.safetensors") + 8, "\"steps\":\"804\""));
}
END_TEST

START_TEST(machines_that_cannot_be_are_refused)
{
#define REFUSED(said)                                                                                                  \
    program_refused(1, said, "$bin/svm --load hand.safetensors --data small.csv --target kind --out refused")
    write_by_hand("quantile regression", machine[1], machine[2], machine[3]);
    REFUSED("is a model of another kind: \"quantile regression\", not \"linear support vector machine\"");
    write_by_hand(machine[0], "focal", machine[2], machine[3]);
    REFUSED("its text \"loss\" is not there or not as it should be");
    write_by_hand(machine[0], machine[1], "-1", machine[3]);
    REFUSED("its text \"lambda\"");
    write_by_hand(machine[0], machine[1], "nan", machine[3]);
    REFUSED("its text \"lambda\"");
    write_by_hand(machine[0], machine[1], machine[2], "-3");
    REFUSED("its text \"steps\"");
    write_by_hand(machine[0], machine[1], machine[2], machine[3]);
    program_ok("head -c -8 hand.safetensors >cut && head -c 300 /dev/urandom >garbage");
    program_refused(1, "ends beyond the end of the file",
                    "$bin/svm --load cut --data small.csv --target kind --out refused");
    program_refused(1, "garbage: ", "$bin/svm --load garbage --data small.csv --target kind --out refused");
    program_refused(1, "is a model of 2 features, but the data have 30", "$bin/svm --load hand.safetensors --out refused");
}
END_TEST

/* What is there when the model is saved is whole; the report that was to come is not there. */
START_TEST(a_signal_in_the_cross_validation_ends_the_run_as_interrupted)
{
    const int status = program_run(SMALL "0 --epochs 400 --batch-size 1 --folds 60 --out r & pid=$!; for i in $(seq 400); do "
                                         "test -e r/model.safetensors && break; sleep 0.02; done; kill -TERM $pid; wait $pid");
    ck_assert_int_eq(status, 128 + 15);
    ck_assert_ptr_nonnull(strstr(program_file("r/run.json"), "\"status\": \"interrupted\""));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "Interrupted after the training"));
    ck_assert(!program_has("r/predictions.csv"));
    program_ok("$bin/svm --load r --predict small.csv --out -");
    ck_assert_uint_eq(count_lines(program_file("out")), 61);
}
END_TEST

/* ------------------------------------------------------------------ errors */

static const struct {
    const char *arguments, *said;
} usage_errors[] = {
    { "--lambda 0", "--lambda: \"0\" is not a number above 0" },
    { "--loss hinge2", "--loss: \"hinge2\" is not one of hinge, squared_hinge" },
    { "--folds 1", "--folds: 1 leaves nothing to train on" },
    { "--folds x", "--folds: \"x\"" },
    { "--skip-lines -1", "--skip-lines: \"-1\"" },
    { "--optimizer adam", "unrecognized option" },
    { "--data small.csv", "--data needs --target" },
    { "--positive yes", "--positive needs --data" },
    { "--load m --data small.csv --target kind --positive yes", "--load: the model decides that: no --positive" },
    { "--load m --folds 2", "--folds: a model that is loaded may have seen every row" },
};

START_TEST(usage_errors_exit_2_and_say_what_is_allowed)
{
    ck_assert_msg(program_run("$bin/svm %s", usage_errors[_i].arguments) == 2, "%s", usage_errors[_i].arguments);
    ck_assert_str_eq(program_file("out"), "");
    ck_assert_msg(strstr(program_file("err"), usage_errors[_i].said) != NULL, "%s", program_file("err"));
    ck_assert(!program_has("runs"));
}
END_TEST

/* Exit 1, and one line "svm: ..." on stderr that holds `said`. */
static void check_failure(const char *said)
{
    const char *message = program_file("err");
    ck_assert_msg(strncmp(message, "svm: ", 5) == 0 && strstr(message, said) != NULL, "%s", message);
    ck_assert_uint_eq(count_lines(message), 1);
}

START_TEST(bad_data_is_one_line)
{
    ck_assert_int_eq(program_run("$bin/svm --data missing.csv --target y"), 1);
    check_failure("missing.csv: ");
    ck_assert_int_eq(program_run(": > empty.csv; $bin/svm --data empty.csv --target y"), 1);
    check_failure("empty.csv");
    ck_assert_int_eq(program_run("$bin/svm --data $source/data/iris.csv --skip-lines 1 --target=-1"), 1);
    check_failure("iris.csv");
    ck_assert_int_eq(program_run("$bin/svm --data $source/data/breast_cancer.csv --target=-1"), 1);
    check_failure("breast_cancer.csv:2: 31 cells, but the first row has 4");
    program_write("one.csv", "a,y\n1,0\n");
    ck_assert_int_eq(program_run("$bin/svm --data one.csv --target y"), 1);
    check_failure("one.csv");
    program_write("two.csv", "a,y\n1,0\n2,1\n");
    ck_assert_int_eq(program_run("$bin/svm --data two.csv --target y"), 1);
    check_failure("5 folds want as many rows to train on, but there are 2");
    ck_assert(!program_has("runs")); /* said before anything is trained */
    ck_assert_int_eq(program_run("$bin/svm --data two.csv --target y --folds 0 --out two"), 0);
    ck_assert_double_eq(program_fact("two/run.json", "metrics.train.accuracy"), 1);
    program_write("wrong.csv", "a,y\n1,0\n12;5,1\n");
    ck_assert_int_eq(program_run("$bin/svm --data wrong.csv --target y"), 1);
    check_failure("wrong.csv:3: column \"a\"");
}
END_TEST

START_TEST(a_full_disk_is_one_line_and_leaves_no_piece)
{
    ck_assert_int_eq(program_run(SMALL " > /dev/full"), 1);
    check_failure(": No space left on device");
    ck_assert_int_eq(program_run("trap '' XFSZ; ulimit -f 3; " SMALL " --out r"), 1);
    check_failure(": File too large");
    ck_assert_int_eq(program_run("ls -A r"), 0);
    ck_assert_ptr_null(strstr(program_file("out"), "partial"));
}
END_TEST

START_TEST(help_tells_the_defaults)
{
    ck_assert_int_eq(program_run("$bin/svm --help"), 0);
    const char *const told[] = { "1/(lambda t) at step t", "(default: 0.01; with --load", "--textbook", "(default: 5; with --load",
                                 "1/(lambda (s + t))", "Examples:" };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        ck_assert_msg(strstr(program_file("out"), told[i]) != NULL, "--help does not tell %s", told[i]);
}
END_TEST

Suite *svm_suite(void)
{
    Suite *suite = suite_create("svm");
    TCase *optima = tcase_create("optima");
    tcase_add_checked_fixture(optima, setup, program_teardown);
    tcase_set_timeout(optima, 20);
    tcase_add_test(optima, the_default_run_is_within_one_percent_of_the_optimum);
    tcase_add_test(optima, weights_are_those_of_scikit_learn);
    tcase_add_test(optima, other_data_come_to_their_optima_with_both_losses);
    tcase_add_test(optima, more_epochs_come_nearer);
    tcase_add_test(optima, the_textbooks_run_is_the_textbooks);
    tcase_add_test(optima, the_average_beats_the_last_weights_where_steps_are_constant);
    suite_add_tcase(suite, optima);

    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, setup, program_teardown);
    tcase_set_timeout(files, 10);
    tcase_add_test(files, weights_csv_scores_rows_as_predictions_csv_says);
    tcase_add_test(files, the_model_file_has_the_weights_of_weights_csv);
    tcase_add_test(files, parts_held_back_take_the_place_of_folds);
    tcase_add_test(files, the_same_seed_gives_the_same_predictions);
    tcase_add_test(files, missing_numbers_are_filled_fold_by_fold);
    tcase_add_test(files, output_in_a_pipe_is_plain_text);
    tcase_add_test(files, pictures_are_whole_where_gnuplot_is_installed);
    suite_add_tcase(suite, files);

    TCase *models = tcase_create("models");
    tcase_add_checked_fixture(models, setup, program_teardown);
    tcase_set_timeout(models, 10);
    tcase_add_test(models, a_machine_that_another_program_wrote_scores);
    tcase_add_test(models, training_goes_on_with_the_plane_the_scale_the_loss_and_the_lambda_of_the_model);
    tcase_add_test(models, steps_are_counted_on);
    tcase_add_test(models, machines_that_cannot_be_are_refused);
    tcase_add_test(models, a_signal_in_the_cross_validation_ends_the_run_as_interrupted);
    suite_add_tcase(suite, models);

    TCase *errors = tcase_create("errors");
    tcase_add_checked_fixture(errors, setup, program_teardown);
    tcase_add_loop_test(errors, usage_errors_exit_2_and_say_what_is_allowed, 0,
                        (int)(sizeof usage_errors / sizeof *usage_errors));
    tcase_add_test(errors, bad_data_is_one_line);
    tcase_add_test(errors, a_full_disk_is_one_line_and_leaves_no_piece);
    tcase_add_test(errors, help_tells_the_defaults);
    suite_add_tcase(suite, errors);
    return suite;
}
