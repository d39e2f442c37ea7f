/* The fraud detector as a program: what it prints, what it leaves, how it fails. It is run as a user runs it. */
#include "program.h"
#include "support.h"

#include <check.h>
#include <ctype.h>
#include <fcntl.h>
#include <luge.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SMALL "$bin/fraud --data small.csv --target fraud --epochs 2"

/* small.csv: 300 rows, 30 of them fraud, whose a is higher and whose b is lower than others'. */
static void setup(void)
{
    program_setup();
    char text[32768] = "a,b,c,fraud\n";
    size_t used = strlen(text);
    lg_rng rng = lg_rng_seed(7);
    for (int i = 0; i < 300; i++) {
        const double shift = i % 10 == 0 ? 1.4 : 0;
        used += (size_t)snprintf(text + used, sizeof text - used, "%.4f,%.4f,%.4f,%d\n", lg_rng_normal(&rng) + shift,
                                 lg_rng_normal(&rng) - shift, lg_rng_normal(&rng), i % 10 == 0);
    }
    program_write("small.csv", text);
}

/* A number of a run.json, "metrics.roc_auc". */
static double fact(const char *file, const char *key)
{
    return program_fact(file, key);
}

/* ----------------------------------------------------------------- scores */

START_TEST(logistic_regression_finds_the_embedded_fraud_in_part)
{
    ck_assert_int_eq(program_run("$bin/fraud --out r"), 0);
    ck_assert_double_ge(fact("r/run.json", "metrics.roc_auc"), 0.80);
    ck_assert_double_le(fact("r/run.json", "metrics.roc_auc"), 0.92);
    ck_assert_double_eq(fact("r/run.json", "data.rows"), 50000);
}
END_TEST

START_TEST(a_small_network_finds_the_embedded_fraud_well)
{
    ck_assert_int_eq(program_run("$bin/fraud --hidden 32,16 --epochs 10 --out r"), 0);
    ck_assert_double_ge(fact("r/run.json", "metrics.roc_auc"), 0.97);
    ck_assert_double_ge(fact("r/run.json", "metrics.f1"), 0.6);
}
END_TEST

/* scikit-learn's LogisticRegression (C = 1) on the same split: ROC AUC 0.9747, F1 0.9055 at 0.5. */
START_TEST(spam_is_told_from_mail_as_scikit_learn_does)
{
    ck_assert_int_eq(program_run("$bin/fraud --data $source/data/spam.csv.gz --target type --positive spam --out r"), 0);
    ck_assert_double_ge(fact("r/run.json", "metrics.roc_auc"), 0.96);
    ck_assert_double_ge(fact("r/run.json", "metrics_at_one_half.f1"), 0.88);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "nonspam"));
}
END_TEST

/* On the embedded data, whose test part has 200 frauds: one row at the threshold does not decide. */
START_TEST(balanced_classes_find_more_of_the_rare_one)
{
    ck_assert_int_eq(program_run("$bin/fraud --epochs 5 --out plain"), 0);
    ck_assert_int_eq(program_run("$bin/fraud --epochs 5 --out even --class-weight balanced"), 0);
    ck_assert_double_gt(fact("even/run.json", "metrics_at_one_half.recall"),
                        fact("plain/run.json", "metrics_at_one_half.recall") + 0.3);
}
END_TEST

/* The two classes of small.csv are told apart at a ROC AUC of about 0.92 by the best line. */
START_TEST(every_binary_loss_of_the_table_trains)
{
    size_t tried = 0;
    for (size_t i = 0; i < lg_loss_count(); i++) {
        const lg_loss_info *info = lg_loss_at(i);
        if (!(info->tasks & LG_TASK_BINARY) || lg_loss_input_count(info) != 2 ||
            info->inputs[1].domain == LG_CLASS_INDEX || info->inputs[1].layout != LG_LIKE_PREDICTION)
            continue;
        ck_assert_msg(program_run(SMALL "0 --lr 0.03 --out %s --loss %s", info->name, info->name) == 0, "%s: %s",
                      info->name, program_file("err"));
        char file[128];
        snprintf(file, sizeof file, "%s/run.json", info->name);
        ck_assert_msg(fact(file, "metrics.roc_auc") > 0.7, "%s: ROC AUC %g", info->name, fact(file, "metrics.roc_auc"));
        tried++;
    }
    ck_assert_uint_ge(tried, 2);
}
END_TEST

START_TEST(parameters_of_the_loss_reach_it)
{
    ck_assert_int_eq(program_run(SMALL " --out a --loss focal && " SMALL " --out b --loss focal --loss-param gamma=0"), 0);
    ck_assert_double_lt(fact("a/run.json", "training.last.loss"), 0.8 * fact("b/run.json", "training.last.loss"));
}
END_TEST

START_TEST(missing_numbers_are_an_error_or_filled)
{
    program_write("holes.csv", "a,b,y\n1,2,0\n2,,1\n3,1,0\n4,2,1\n5,NA,0\n6,3,1\n7,2,0\n8,1,1\n9,3,0\n1,2,1\n");
    ck_assert_int_eq(program_run("$bin/fraud --data holes.csv --target y --epochs 1"), 1);
    ck_assert_ptr_nonnull(strstr(program_file("err"), "holes.csv:3"));
    ck_assert_int_eq(program_run("$bin/fraud --data holes.csv --target y --epochs 1 --missing mean"), 0);
    ck_assert_int_eq(program_run("$bin/fraud --data holes.csv --target y --epochs 1 --missing median"), 0);
    /* Ten rows are also too few to choose a threshold on. */
    ck_assert_ptr_nonnull(strstr(program_file("out"), "at threshold 0.5000 (too few of a class"));
}
END_TEST

/* ---------------------------------------------------------- command line */

START_TEST(the_number_of_threads_comes_from_option_environment_or_processors)
{
    ck_assert_int_eq(program_run("LUGE_NUM_THREADS=5 " SMALL " --out a && LUGE_NUM_THREADS=5 " SMALL " --out b --threads 3"), 0);
    ck_assert_double_eq(fact("a/run.json", "arguments.threads"), 5);
    ck_assert_double_eq(fact("b/run.json", "arguments.threads"), 3);
    ck_assert_int_eq(program_run("LUGE_NUM_THREADS=0 " SMALL " --out c && LUGE_NUM_THREADS=2x " SMALL " --out d"), 0);
    ck_assert_int_eq(program_run("env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc"), 0);
    const double processors = atof(program_file("out"));
    ck_assert_double_eq(fact("c/run.json", "arguments.threads"), processors);
    ck_assert_double_eq(fact("d/run.json", "arguments.threads"), processors);
    ck_assert_int_eq(program_run("LUGE_NUM_THREADS=7 $bin/fraud --help | grep -A 2 -e --threads"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "(default: 7)"));
    ck_assert_int_eq(program_run(SMALL " --threads 0"), 2);
}
END_TEST

START_TEST(help_and_version_go_to_stdout)
{
    ck_assert_int_eq(program_run("$bin/fraud --help"), 0);
    const char *help = program_file("out");
    ck_assert_str_eq(program_file("err"), "");
    const char *const told[] = { "--epochs", "(default: 20)", "--lr", "(default: 0.003)", "--validation-split",
                                 "--early-stopping", "--dry-run", "Examples:" };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        ck_assert_msg(strstr(help, told[i]) != NULL, "--help does not tell %s", told[i]);
    ck_assert_int_eq(program_run("$bin/fraud --version"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), lg_version()));
    ck_assert_int_eq(program_run("$bin/fraud --list-losses"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "binary_crossentropy"));
    ck_assert_ptr_null(strstr(program_file("out"), "sparse_categorical_crossentropy"));
}
END_TEST

static const struct {
    const char *arguments, *said;
} usage_errors[] = {
    { "--epochs 5x", "--epochs: \"5x\" is not a whole number from 1" },
    { "--epochs 0", "--epochs: \"0\"" },
    { "--epochs ' 3'", "--epochs: \" 3\"" },
    { "--batch-size -1", "--batch-size: \"-1\"" },
    { "--lr nan", "--lr: \"nan\" is not a number above 0" },
    { "--lr 0x10", "--lr: \"0x10\"" },
    { "--lr 1e999", "--lr: \"1e999\"" },
    { "--lr 0", "--lr: \"0\"" },
    { "--validation-split 1.5", "--validation-split: \"1.5\" is not a number from 0 to 1 (excluded)" },
    { "--validation-split 0.5 --test-split 0.5", "leave nothing to train on" },
    { "--early-stopping 2 --validation-split 0", "--early-stopping: needs" },
    { "--clip-norm 0", "--clip-norm: \"0\" is not a number above 0" },
    { "--seed 1.5", "--seed: \"1.5\"" },
    { "--verbose 3", "--verbose: \"3\" is not one of 0, 1, 2" },
    { "--optimizer adm", "did you mean \"adam\"?" },
    { "--loss focall", "did you mean \"focal\"?" },
    { "--loss sparse_categorical_crossentropy", "does not fit this task; these do: binary_crossentropy" },
    { "--loss focal --loss-param gama=1", "did you mean \"gamma\"?" },
    { "--loss focal --loss-param gamma=-1", "gamma is -1" },
    { "--loss bce --loss-param from_logits=false", "from_logits" },
    { "--hidden 3,,4", "--hidden: \"3,,4\"" },
    { "--hidden 0", "--hidden: \"0\"" },
    { "--class-weight odd", "--class-weight: \"odd\" is not one of none, balanced" },
    { "--hardest many", "--hardest: \"many\"" },
    { "--out ''", "--out:" },
    { "--data small.csv", "--data needs --target" },
    { "--target fraud", "--target needs --data" },
    { "--labels labels.npy", "--labels needs --data" },
    { "--data small.csv --target fraud --labels labels.npy", "--labels and --target: only one" },
    { "--bogus", "unrecognized option '--bogus'" },
    { "--epochs", "option '--epochs' requires an argument" },
    { "stray", "\"stray\" belongs to no option" },
};

START_TEST(usage_errors_exit_2_and_say_what_is_allowed)
{
    ck_assert_msg(program_run("$bin/fraud %s", usage_errors[_i].arguments) == 2, "%s", usage_errors[_i].arguments);
    ck_assert_str_eq(program_file("out"), "");
    ck_assert_msg(strncmp(program_file("err"), "fraud: ", 7) == 0 &&
                      strstr(program_file("err"), usage_errors[_i].said) != NULL,
                  "%s: %s", usage_errors[_i].arguments, program_file("err"));
    ck_assert(!program_has("runs"));
}
END_TEST

/* The same rows as arrays, with their labels in a file of their own, are the same training. */
START_TEST(arrays_train_as_the_table_does)
{
    lg_dataset *table = lg_dataset_read_csv(program_path("small.csv"), &(lg_csv_options){ .target = "fraud" });
    ck_assert_ptr_nonnull(table);
    int32_t labels[300];
    ck_assert_int_eq(lg_dataset_labels(table, NULL, 0, labels), LG_OK);
    const size_t dims[] = { 300, 3 };
    ck_assert_int_eq(lg_npy_write_array(program_path("x.npy"), LG_REAL, 2, dims, lg_dataset_values(table, "x")), LG_OK);
    ck_assert_int_eq(lg_npy_write_array(program_path("y.npy"), LG_INT32, 1, dims, labels), LG_OK);
    lg_dataset_free(table);
    ck_assert_int_eq(program_run("gzip x.npy && " SMALL " --out table"), 0);
    ck_assert_int_eq(program_run("$bin/fraud --data x.npy.gz --labels y.npy --epochs 2 --out arrays"), 0);
    ck_assert_int_eq(program_run("cmp table/predictions.csv arrays/predictions.csv"), 0);
    ck_assert_int_eq(program_run("$bin/fraud --data y.npy --target 0"), 1);
    ck_assert_str_eq(program_file("err"), "fraud: y.npy: the array is 300, which has no columns for a target; give a labels "
                                          "file\n");
}
END_TEST

/* Exit 1, and one line "fraud: ..." on stderr that holds `said`. */
static void check_failure(const char *said)
{
    const char *message = program_file("err");
    ck_assert_msg(strncmp(message, "fraud: ", 7) == 0 && strstr(message, said) != NULL, "%s", message);
    ck_assert_uint_eq(count_lines(message), 1);
}

START_TEST(bad_data_is_one_line_and_leaves_no_folder)
{
    ck_assert_int_eq(program_run("$bin/fraud --data missing.csv --target y"), 1);
    check_failure("missing.csv: ");
    ck_assert_int_eq(program_run("$bin/fraud --data . --target y"), 1);
    check_failure(".: is a directory");
    ck_assert_int_eq(program_run("head -c 4096 $bin/fraud > garbage; $bin/fraud --data garbage --target 0"), 1);
    check_failure("garbage");
    ck_assert_int_eq(program_run("$bin/fraud --data small.csv --target frod"), 1);
    check_failure("fraud");
    ck_assert_int_eq(program_run(": > empty.csv; $bin/fraud --data empty.csv --target y"), 1);
    check_failure("empty.csv");
    program_write("one.csv", "a,y\n1,0\n2,1\n");
    ck_assert_int_eq(program_run("$bin/fraud --data one.csv --target y"), 1);
    check_failure("rows");
    program_write("wrong.csv", "a,y\n1,0\n12;5,1\n");
    ck_assert_int_eq(program_run("$bin/fraud --data wrong.csv --target y"), 1);
    check_failure("wrong.csv:3: column \"a\"");
    ck_assert(!program_has("runs"));
}
END_TEST

START_TEST(a_loss_that_becomes_nan_ends_the_run)
{
    program_write("huge.csv", "a,y\n1e30,0\n-1e30,1\n2e30,0\n3e30,1\n0,0\n1e30,1\n2,0\n1,1\n3,0\n4,1\n");
    int status = program_run("$bin/fraud --data huge.csv --target y --optimizer sgd --lr 1e300 --hidden 4 --epochs 50");
    ck_assert_int_eq(status, 1);
    check_failure("NaN");
    ck_assert_ptr_nonnull(strstr(program_file("runs/fraud/run.json"), "\"status\": \"failed\""));
}
END_TEST

/* ------------------------------------------------------------------ output */

START_TEST(history_has_a_row_for_every_epoch)
{
    ck_assert_int_eq(program_run(SMALL), 0);
    const char *history = program_file("runs/fraud/history.csv");
    const char *header = "epoch,loss,accuracy,roc_auc,average_precision,val_loss,val_accuracy,val_roc_auc,"
                         "val_average_precision,learning_rate,seconds\n";
    ck_assert_int_eq(strncmp(history, header, strlen(header)), 0);
    ck_assert_uint_eq(count_lines(history), 3);
    ck_assert_uint_eq(count_cells(history, 2), count_cells(header, 0));

    lg_history *read = lg_history_read(program_path("runs/fraud/history.jsonl"));
    ck_assert_msg(read != NULL, "%s", lg_error());
    ck_assert_double_eq_tol(lg_history_last(read, "loss"), fact("runs/fraud/run.json", "training.last.loss"), 1e-12);
    lg_history_free(read);
}
END_TEST

/* The text without the last cell of each line, which is the seconds. */
static char *without_seconds(const char *text)
{
    char *kept = calloc(strlen(text) + 1, 1);
    ck_assert_ptr_nonnull(kept);
    for (const char *line = text; *line;) {
        const size_t length = strcspn(line, "\n");
        size_t end = length;
        while (end > 0 && line[end] != ',')
            end--;
        strncat(kept, line, end);
        strcat(kept, "\n");
        line += length + (line[length] == '\n');
    }
    return kept;
}

START_TEST(the_same_seed_gives_the_same_history_and_predictions)
{
    ck_assert_int_eq(program_run(SMALL " --hidden 8 --seed 5 --out a && " SMALL " --hidden 8 --seed 5 --out b && " SMALL
                                       " --hidden 8 --seed 6 --out c"),
                     0);
    char *a = without_seconds(program_file("a/history.csv")), *b = without_seconds(program_file("b/history.csv"));
    char *c = without_seconds(program_file("c/history.csv"));
    ck_assert_str_eq(a, b);
    ck_assert_str_ne(a, c);
    ck_assert_str_eq(program_file("a/predictions.csv"), program_file("b/predictions.csv"));
    free(a), free(b), free(c);
}
END_TEST

START_TEST(predictions_have_a_line_for_every_row)
{
    ck_assert_int_eq(program_run(SMALL "0 --out r"), 0);
    const char *text = program_file("r/predictions.csv");
    ck_assert_int_eq(strncmp(text, "row,part,target,probability,loss\n", 33), 0);
    ck_assert_uint_eq(count_lines(text), 301);
    size_t parts[3] = { 0 }, frauds = 0, expected = 0;
    for (const char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1, expected++) {
        size_t row;
        char part[16];
        int target;
        double probability, loss;
        ck_assert_int_eq(sscanf(line, "%zu,%15[a-z],%d,%lf,%lf", &row, part, &target, &probability, &loss), 5);
        ck_assert_uint_eq(row, expected);
        ck_assert_int_eq(target, row % 10 == 0);
        /* The loss of the row is the cross-entropy of its probability. */
        ck_assert_double_eq_tol(loss, -log(target ? probability : 1 - probability), 1e-4);
        parts[0] += strcmp(part, "train") == 0, parts[1] += strcmp(part, "validation") == 0;
        parts[2] += strcmp(part, "test") == 0;
        frauds += strcmp(part, "test") == 0 && target;
    }
    ck_assert_uint_eq(parts[0], 180);
    ck_assert_uint_eq(parts[1], 60);
    ck_assert_uint_eq(parts[2], 60);
    ck_assert_uint_eq(frauds, 6);
}
END_TEST

START_TEST(the_hardest_rows_come_worst_first)
{
    ck_assert_int_eq(program_run(SMALL "0 --hardest 4"), 0);
    const char *line = strstr(program_file("out"), "The 4 rows of highest loss");
    ck_assert_ptr_nonnull(line);
    line = strchr(strchr(line, '\n') + 1, '\n') + 1;
    double last = HUGE_VAL, loss;
    for (int i = 0; i < 4; i++, line = strchr(line, '\n') + 1) {
        ck_assert_int_eq(sscanf(line, "%*u %*s %*s %*f %lf", &loss), 1);
        ck_assert_double_le(loss, last);
        last = loss;
    }
}
END_TEST

START_TEST(runs_are_numbered_and_never_replaced_unasked)
{
    ck_assert_int_eq(program_run(SMALL " && " SMALL " && " SMALL), 0);
    ck_assert(program_has("runs/fraud/run.json") && program_has("runs/fraud-2/run.json") &&
              program_has("runs/fraud-3/run.json"));

    ck_assert_int_eq(program_run(SMALL " --out deep/er/r && touch deep/er/r/mine"), 0);
    ck_assert_int_eq(program_run(SMALL "0 --out deep/er/r"), 1);
    check_failure("deep/er/r: holds a run already; --overwrite");
    ck_assert_uint_eq(count_lines(program_file("deep/er/r/history.csv")), 3);
    ck_assert_int_eq(program_run(SMALL "0 --out deep/er/r --overwrite"), 0);
    ck_assert_uint_eq(count_lines(program_file("deep/er/r/history.csv")), 21);
    ck_assert(program_has("deep/er/r/mine"));
    ck_assert_int_eq(program_run("PATH=/nowhere; " SMALL " --out deep/er/r --overwrite"), 0);
    ck_assert(!program_has("deep/er/r/loss.svg")); /* the earlier run's */
    ck_assert_int_eq(program_run(SMALL " --out small.csv/r"), 1);
    check_failure("small.csv");
}
END_TEST

START_TEST(a_dry_run_writes_nothing)
{
    ck_assert_int_eq(program_run(SMALL " --dry-run --hidden 8"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "300 rows"));
    ck_assert_ptr_nonnull(strstr(program_file("out"), "Total params: 41"));
    ck_assert_ptr_null(strstr(program_file("out"), "Epoch"));
    ck_assert(!program_has("runs"));
}
END_TEST

START_TEST(output_in_a_pipe_is_plain_text)
{
    ck_assert_int_eq(program_run(SMALL " | cat"), 0);
    const char *text = program_file("out");
    ck_assert_ptr_nonnull(strstr(text, "Epoch 2/2 - "));
    for (; *text; text++)
        ck_assert_msg(isprint((unsigned char)*text) || *text == '\n', "byte %d", *text);
    ck_assert_int_eq(program_run(SMALL " --verbose 0"), 0);
    ck_assert_ptr_null(strstr(program_file("out"), "Epoch"));
}
END_TEST

/* --------------------------------------------------------------- pictures */

/* Logistic regression from the numbers of its file alone: 1 / (1 + exp(-(w (x - mean) / deviation + b))). */
START_TEST(the_model_in_its_file_makes_the_predictions)
{
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    lg_safetensors *file = lg_safetensors_open(program_path("r/model.safetensors"));
    ck_assert_msg(file != NULL, "%s", lg_error());
    ck_assert_str_eq(lg_safetensors_metadata(file, "layers"), "3,1");
    ck_assert_str_eq(lg_safetensors_metadata(file, "features"), "[\"a\",\"b\",\"c\"]");
    ck_assert_str_eq(lg_safetensors_metadata(file, "classes"), "[\"0\",\"1\"]");
    ck_assert_double_eq_tol(atof(lg_safetensors_metadata(file, "threshold")), fact("r/run.json", "metrics.threshold"), 1e-12);
    lg_tensor *w = lg_safetensors_tensor(file, "dense_1.weight"), *b = lg_safetensors_tensor(file, "dense_1.bias");
    lg_tensor *means = lg_safetensors_tensor(file, "input.means"), *deviations = lg_safetensors_tensor(file, "input.deviations");
    lg_dataset *rows = lg_dataset_read_csv(program_path("small.csv"), &(lg_csv_options){ .target = "fraud" });
    const char *line = program_file("r/predictions.csv");
    for (size_t i = 0; i < 300; i++) {
        double logit = lg_tensor_item(b), probability;
        for (size_t k = 0; k < 3; k++)
            logit += (double)lg_tensor_data(w)[k] * ((double)lg_dataset_values(rows, "x")[3 * i + k] -
                     (double)lg_tensor_data(means)[k]) / (double)lg_tensor_data(deviations)[k];
        line = strchr(line, '\n') + 1;
        ck_assert_int_eq(sscanf(line, "%*u,%*[a-z],%*d,%lf", &probability), 1);
        ck_assert_double_eq_tol(probability, 1 / (1 + exp(-logit)), 1e-5);
    }
    lg_tensor_free(w), lg_tensor_free(b), lg_tensor_free(means), lg_tensor_free(deviations);
    lg_dataset_free(rows);
    lg_safetensors_close(file);
}
END_TEST

START_TEST(without_gnuplot_one_line_says_how_to_get_it)
{
    ck_assert_int_eq(program_run("PATH=/nowhere; " SMALL " --out r"), 0);
    ck_assert_uint_eq(count_lines(program_file("err")), 1);
    ck_assert_ptr_nonnull(strstr(program_file("err"), "apt-get install gnuplot"));
    ck_assert(program_has("r/predictions.csv") && !program_has("r/loss.svg") && !program_has("r/loss.svg.partial"));
}
END_TEST

START_TEST(a_gnuplot_that_fails_does_not_fail_the_run)
{
    const char *const gnuplots[] = { "exit 3", "exec < /dev/null; exit 0", "cat > /dev/null; echo '<svg>'" };
    for (size_t i = 0; i < 3; i++) {
        char script[128];
        snprintf(script, sizeof script, "#!/bin/sh\n%s\n", gnuplots[i]);
        program_write("gnuplot", script);
        ck_assert_int_eq(program_run("chmod +x gnuplot; PATH=$PWD:$PATH; " SMALL " --out r --overwrite"), 0);
        ck_assert_uint_eq(count_lines(program_file("err")), 1);
        ck_assert(!program_has("r/loss.svg") && !program_has("r/loss.svg.partial"));
    }
}
END_TEST

START_TEST(pictures_are_whole_where_gnuplot_is_installed)
{
    if (program_run("command -v gnuplot") != 0)
        return;
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    ck_assert_str_eq(program_file("err"), "");
    ck_assert_ptr_nonnull(strstr(program_file("r/loss.svg"), ">validation<"));
    ck_assert_ptr_nonnull(strstr(program_file("r/confusion.svg"), "predicted"));
    ck_assert_ptr_nonnull(strstr(program_file("r/confusion.svg"), "</svg>"));
}
END_TEST

/* ------------------------------------------------ full disks, pipes, signals */

START_TEST(a_full_stdout_is_a_failure)
{
    ck_assert_int_eq(program_run(SMALL " > /dev/full"), 1);
    check_failure(": No space left on device");
    ck_assert_int_eq(program_run("$bin/fraud --help > /dev/full"), 1);
    check_failure("standard output: No space left on device");
}
END_TEST

/* A limit on the size of files stands in for a full disk: writes fail in the same places. */
START_TEST(a_full_disk_is_one_line_and_leaves_no_piece)
{
    ck_assert_int_eq(program_run("trap '' XFSZ; ulimit -f 8; " SMALL " --out r"), 1);
    check_failure(": File too large");
    ck_assert_uint_eq(count_lines(program_file("r/history.csv")), 3);
    ck_assert_int_eq(program_run("ls -A r"), 0);
    ck_assert_ptr_null(strstr(program_file("out"), "partial"));
    ck_assert(!program_has("r/loss.svg") && !program_has("r/predictions.csv"));
}
END_TEST

START_TEST(a_closed_pipe_ends_it_quietly)
{
    ck_assert_int_eq(program_run("{ " SMALL "000 --verbose 2; echo $? > status; } | head -n 1"), 0);
    ck_assert_str_eq(program_file("err"), "");
    const char *status = program_file("status");
    ck_assert_msg(strcmp(status, "141\n") == 0 || strcmp(status, "1\n") == 0, "%s", status);
}
END_TEST

START_TEST(an_interrupt_leaves_a_whole_history_and_is_what_it_dies_of)
{
    char program[4096];
    snprintf(program, sizeof program, "%s/fraud", test_build_dir());
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        close(ends[0]);
        if (chdir(program_path("")) == 0)
            execl(program, "fraud", "--data", "small.csv", "--target", "fraud", "--epochs", "1000000", "--verbose", "2",
                  (char *)NULL);
        _exit(99);
    }
    close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    char line[1024] = "";
    while (!strstr(line, "Epoch 3/") && fgets(line, sizeof line, output))
        continue;
    ck_assert_ptr_nonnull(strstr(line, "Epoch 3/"));
    ck_assert_int_eq(kill(child, SIGINT), 0);
    while (fgets(line, sizeof line, output))
        continue;
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    fclose(output);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "status %#x", (unsigned)status);

    lg_history *history = lg_history_read(program_path("runs/fraud/history.csv"));
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_uint_ge(lg_history_rows(history), 3);
    lg_history_free(history);
    ck_assert_ptr_nonnull(strstr(program_file("runs/fraud/run.json"), "\"status\": \"interrupted\""));
}
END_TEST

Suite *fraud_suite(void)
{
    Suite *suite = suite_create("fraud");
    TCase *scores = tcase_create("scores");
    tcase_add_checked_fixture(scores, setup, program_teardown);
    tcase_set_timeout(scores, 20);
    tcase_add_test(scores, logistic_regression_finds_the_embedded_fraud_in_part);
    tcase_add_test(scores, a_small_network_finds_the_embedded_fraud_well);
    tcase_add_test(scores, spam_is_told_from_mail_as_scikit_learn_does);
    tcase_add_test(scores, balanced_classes_find_more_of_the_rare_one);
    tcase_add_test(scores, every_binary_loss_of_the_table_trains);
    tcase_add_test(scores, parameters_of_the_loss_reach_it);
    tcase_add_test(scores, missing_numbers_are_an_error_or_filled);
    suite_add_tcase(suite, scores);

    TCase *line = tcase_create("command line");
    tcase_add_checked_fixture(line, setup, program_teardown);
    tcase_add_test(line, help_and_version_go_to_stdout);
    tcase_add_test(line, the_number_of_threads_comes_from_option_environment_or_processors);
    tcase_add_test(line, arrays_train_as_the_table_does);
    tcase_add_loop_test(line, usage_errors_exit_2_and_say_what_is_allowed, 0,
                        (int)(sizeof usage_errors / sizeof *usage_errors));
    tcase_add_test(line, bad_data_is_one_line_and_leaves_no_folder);
    tcase_add_test(line, a_loss_that_becomes_nan_ends_the_run);
    suite_add_tcase(suite, line);

    TCase *output = tcase_create("output");
    tcase_add_checked_fixture(output, setup, program_teardown);
    tcase_set_timeout(output, 10);
    tcase_add_test(output, history_has_a_row_for_every_epoch);
    tcase_add_test(output, the_same_seed_gives_the_same_history_and_predictions);
    tcase_add_test(output, predictions_have_a_line_for_every_row);
    tcase_add_test(output, the_hardest_rows_come_worst_first);
    tcase_add_test(output, runs_are_numbered_and_never_replaced_unasked);
    tcase_add_test(output, a_dry_run_writes_nothing);
    tcase_add_test(output, output_in_a_pipe_is_plain_text);
    tcase_add_test(output, the_model_in_its_file_makes_the_predictions);
    tcase_add_test(output, without_gnuplot_one_line_says_how_to_get_it);
    tcase_add_test(output, a_gnuplot_that_fails_does_not_fail_the_run);
    tcase_add_test(output, pictures_are_whole_where_gnuplot_is_installed);
    tcase_add_test(output, a_full_stdout_is_a_failure);
    tcase_add_test(output, a_full_disk_is_one_line_and_leaves_no_piece);
    tcase_add_test(output, a_closed_pipe_ends_it_quietly);
    tcase_add_test(output, an_interrupt_leaves_a_whole_history_and_is_what_it_dies_of);
    suite_add_tcase(suite, output);
    return suite;
}
