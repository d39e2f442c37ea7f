/* The Siamese network as a program: what it learns, what it leaves, how it fails. */
#include "clusters.h"
#include "program.h"
#include "support.h"

#include <check.h>
#include <luge.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL "$bin/siamese --data rows.csv --target who --scale each --hidden 16 --embedding 4 --epochs 6 --lr 0.01 " \
              "--pairs 400 --eval-pairs 300 --early-stopping 50 --seed 1"

/* Ten classes of 12 rows: five train, two validate, three test. */
static void setup(void)
{
    program_setup();
    clusters_write("rows.csv", 0, 10, 12, 1, 1);
}

START_TEST(digits_that_it_has_never_seen_are_told_apart)
{
    ck_assert_int_eq(program_run("$bin/siamese --out r --eval-pairs 4000"), 0);
    ck_assert_double_ge(program_fact("r/run.json", "metrics.test.roc_auc"), 0.6);
    ck_assert_double_ge(program_fact("r/run.json", "training.last.val_roc_auc"), 0.85);
    ck_assert_double_ge(program_fact("r/run.json", "training.last.accuracy"), 0.9); /* of digits that it has seen */
    ck_assert_double_ge(program_fact("r/run.json", "metrics.test.nearest_neighbour_accuracy"), 0.9);
    ck_assert_double_eq(program_fact("r/run.json", "data.rows"), 1797);
}
END_TEST

/* Rates of run.json against counting over the lines of predictions.csv. */
START_TEST(rates_are_those_of_counting_over_the_predictions)
{
    ck_assert_int_eq(program_run(SMALL " --out r --false-accepts 0.1"), 0);
    size_t n, m;
    double *target = table_column("r/predictions.csv", "target", "test", &n);
    double *distance = table_column("r/predictions.csv", "distance", "test", &n);
    double *raw = table_column("r/predictions.csv", "raw_distance", "test", &n);
    double *v_target = table_column("r/predictions.csv", "target", "validation", &m);
    double *v_distance = table_column("r/predictions.csv", "distance", "validation", &m);
    ck_assert(n == 300 && m == 300);
    ck_assert_double_eq_tol(program_fact("r/run.json", "metrics.test.roc_auc"), counted_auc(n, distance, target), 1e-9);
    ck_assert_double_eq_tol(program_fact("r/run.json", "metrics.raw.roc_auc"), counted_auc(n, raw, target), 1e-9);

    /* the largest distance of the validation part at which at most a tenth of the different pairs pass */
    const double threshold = program_fact("r/run.json", "metrics.test.at_false_accepts.threshold");
    double largest = -1;
    for (size_t i = 0; i < m; i++)
        if (counted_share(m, v_distance, v_target, 0, v_distance[i]) <= 0.1)
            largest = fmax(largest, v_distance[i]);
    ck_assert_double_eq_tol(threshold, largest, 1e-6 * largest);
    const char *const at[] = { "equal_errors", "false_accepts" };
    for (size_t k = 0; k < 2; k++) {
        char key[96];
        snprintf(key, sizeof key, "metrics.test.at_%s.threshold", at[k]);
        const double t = program_fact("r/run.json", key) * (1 + 1e-7);
        const double far = counted_share(n, distance, target, 0, t), frr = 1 - counted_share(n, distance, target, 1, t);
        snprintf(key, sizeof key, "metrics.test.at_%s.false_accept_rate", at[k]);
        ck_assert_double_eq_tol(program_fact("r/run.json", key), far, 1e-9);
        snprintf(key, sizeof key, "metrics.test.at_%s.false_reject_rate", at[k]);
        ck_assert_double_eq_tol(program_fact("r/run.json", key), frr, 1e-9);
        snprintf(key, sizeof key, "metrics.test.at_%s.accuracy", at[k]);
        ck_assert_double_eq_tol(program_fact("r/run.json", key), 1 - (far + frr) / 2, 1e-9); /* half are of each kind */
    }
    /* false accepts and rejects meet at the equal error rate: no threshold has both below it */
    const double equal = program_fact("r/run.json", "metrics.test.equal_error_rate");
    for (size_t i = 0; i < n; i++)
        ck_assert_double_ge(fmax(counted_share(n, distance, target, 0, distance[i]),
                                 1 - counted_share(n, distance, target, 1, distance[i])), equal - 1e-9);
    free(target), free(distance), free(raw), free(v_target), free(v_distance);
}
END_TEST

START_TEST(unseen_clusters_are_told_apart)
{
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    ck_assert_double_ge(program_fact("r/run.json", "metrics.test.roc_auc"), 0.9);
    ck_assert_double_lt(program_fact("r/run.json", "training.last.loss"), 0.2);
}
END_TEST

/* Both conventions by their formulas: d^2 and max(0, margin - d)^2 for 1 and 0, or half of them for 0 and 1. */
START_TEST(both_label_conventions_have_their_loss)
{
    for (int similar = 0; similar <= 1; similar++) {
        ck_assert_int_eq(program_run(SMALL " --out r%d --similar-label %d --margin 1.5", similar, similar), 0);
        char file[64];
        snprintf(file, sizeof file, "r%d/predictions.csv", similar);
        size_t n, likes = 0;
        double *target = table_column(file, "target", NULL, &n), *distance = table_column(file, "distance", NULL, &n);
        double *loss = table_column(file, "loss", NULL, &n), *row_a = table_column(file, "row_a", NULL, &n);
        double *row_b = table_column(file, "row_b", NULL, &n);
        ck_assert_uint_eq(n, 600);
        for (size_t i = 0; i < n; i++) {
            const int alike = (int)row_a[i] / 12 == (int)row_b[i] / 12; /* the file is class by class */
            ck_assert_int_eq((int)target[i], alike ? similar : 1 - similar);
            const double short_of = fmax(0, 1.5 - distance[i]);
            const double expected = (similar ? 1 : 0.5) * (alike ? distance[i] * distance[i] : short_of * short_of);
            ck_assert_double_eq_tol(loss[i], expected, 1e-5 * (1 + expected));
            likes += (size_t)alike;
        }
        ck_assert_uint_eq(likes, 300);
        free(target), free(distance), free(loss), free(row_a), free(row_b);
    }
    /* the first epoch's loss is half of the other's, about: Adam's steps do not mind the factor */
    size_t epochs;
    double *paper = table_column("r0/history.csv", "loss", NULL, &epochs), *other = table_column("r1/history.csv", "loss", NULL, &epochs);
    ck_assert_double_eq_tol(paper[0], other[0] / 2, 0.02 * other[0]);
    free(paper), free(other);
}
END_TEST

START_TEST(the_parts_share_no_class)
{
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    size_t n;
    int part_of[10] = { 0 };
    const char *const parts[] = { "validation", "test" }, *const rows[] = { "row_a", "row_b" };
    for (int p = 0; p < 2; p++)
        for (int k = 0; k < 2; k++) {
            double *row = table_column("r/predictions.csv", rows[k], parts[p], &n);
            for (size_t i = 0; i < n; i++) {
                int *part = &part_of[(int)row[i] / 12];
                ck_assert(*part == 0 || *part == p + 1);
                *part = p + 1;
            }
            free(row);
        }
    int classes[3] = { 0 };
    for (int c = 0; c < 10; c++)
        classes[part_of[c]]++;
    ck_assert(classes[0] == 5 && classes[1] == 2 && classes[2] == 3);
}
END_TEST

/* x scaled, tanh(x W1' + b1) W2' + b2, from the numbers of the model's file alone. */
START_TEST(the_model_in_its_file_makes_the_embeddings)
{
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    lg_safetensors *file = lg_safetensors_open(program_path("r/model.safetensors"));
    ck_assert_msg(file != NULL, "%s", lg_error());
    ck_assert_str_eq(lg_safetensors_metadata(file, "layers"), "4,16,4");
    ck_assert_str_eq(lg_safetensors_metadata(file, "normalize"), "no");
    static const char *const names[] = { "input.means", "input.deviations", "dense_1.weight", "dense_1.bias",
                                         "dense_2.weight", "dense_2.bias" };
    lg_tensor *t[6];
    const lg_real *v[6];
    for (size_t i = 0; i < 6; i++) {
        t[i] = lg_safetensors_tensor(file, names[i]);
        v[i] = lg_tensor_data(t[i]);
    }
    lg_tensor *made = lg_npy_read(program_path("r/embeddings.npy"), LG_REAL);
    ck_assert(lg_tensor_dim(made, 0) == 120 && lg_tensor_dim(made, 1) == 4);
    lg_dataset *rows = lg_dataset_read_csv(program_path("rows.csv"), &(lg_csv_options){ .target = "who" });
    for (size_t i = 0; i < 120; i++)
        for (size_t out = 0; out < 4; out++) {
            double sum = (double)v[5][out];
            for (size_t h = 0; h < 16; h++) {
                double inner = (double)v[3][h];
                for (size_t k = 0; k < 4; k++)
                    inner += (double)v[2][h * 4 + k] *
                             ((double)lg_dataset_values(rows, "x")[i * 4 + k] - (double)v[0][k]) / (double)v[1][k];
                sum += (double)v[4][out * 16 + h] * tanh(inner);
            }
            ck_assert_double_eq_tol((double)lg_tensor_data(made)[i * 4 + out], sum, 1e-4);
        }
    for (size_t i = 0; i < 6; i++)
        lg_tensor_free(t[i]);
    lg_tensor_free(made);
    lg_dataset_free(rows);
    lg_safetensors_close(file);
}
END_TEST

/* Principal components have mean 0, do not correlate, and vary most along the first. */
START_TEST(the_picture_shows_principal_components)
{
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    size_t n;
    double *x = table_column("r/embedding.csv", "x", NULL, &n), *y = table_column("r/embedding.csv", "y", NULL, &n);
    ck_assert_uint_eq(n, 36);
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++)
        mean_x += x[i] / 36, mean_y += y[i] / 36, xx += x[i] * x[i], yy += y[i] * y[i], xy += x[i] * y[i];
    ck_assert_double_eq_tol(mean_x, 0, 1e-5);
    ck_assert_double_eq_tol(mean_y, 0, 1e-5);
    ck_assert_double_eq_tol(xy / sqrt(xx * yy), 0, 1e-4);
    ck_assert_double_gt(xx, yy);
    free(x), free(y);
    ck_assert_int_eq(program_run(SMALL " --out two --embedding 2"), 0);
    x = table_column("two/embedding.csv", "x", NULL, &n);
    double *row = table_column("two/embedding.csv", "row", NULL, &n);
    lg_tensor *made = lg_npy_read(program_path("two/embeddings.npy"), LG_REAL);
    for (size_t i = 0; i < n; i++)
        ck_assert_double_eq_tol(x[i], (double)lg_tensor_data(made)[2 * (size_t)row[i]], 1e-6 * (1 + fabs(x[i])));
    lg_tensor_free(made);
    free(x), free(row);
}
END_TEST

START_TEST(a_seed_says_it_all)
{
    ck_assert_int_eq(program_run(SMALL " --out a && " SMALL " --out b && " SMALL " --seed 2 --out c"), 0);
    ck_assert_int_eq(program_run("cmp a/predictions.csv b/predictions.csv && cmp a/model.safetensors b/model.safetensors"), 0);
    ck_assert_int_ne(program_run("cmp a/predictions.csv c/predictions.csv"), 0);
}
END_TEST

START_TEST(every_number_is_in_the_history_and_every_file_is_listed)
{
    ck_assert_int_eq(program_run(SMALL " --out r"), 0);
    ck_assert_int_eq(strncmp(program_file("r/history.csv"),
                             "epoch,loss,accuracy,roc_auc,average_precision,val_loss,val_accuracy,val_roc_auc,"
                             "val_average_precision,learning_rate,seconds\n", 120), 0);
    ck_assert_uint_eq(count_lines(program_file("r/history.csv")), 7);
    ck_assert_int_eq(program_run("for f in $(tail -n 1 out); do test -e r/$f -o $f = r: || exit 9; done"), 0);
    ck_assert_int_eq(program_run("LC_ALL=C grep -q '[^[:print:]]' out"), 1);
    ck_assert_int_eq(program_run(SMALL " --out s | head -n 1"), 0);
    ck_assert_int_eq(program_run(SMALL " --out u > /dev/full"), 1);
}
END_TEST

START_TEST(the_textbooks_sizes_are_one_option)
{
    ck_assert_int_eq(program_run(SMALL " --textbook --epochs 1 --out r"), 0);
    lg_safetensors *file = lg_safetensors_open(program_path("r/model.safetensors"));
    ck_assert_str_eq(lg_safetensors_metadata(file, "layers"), "4,512,128");
    ck_assert_str_eq(lg_safetensors_metadata(file, "output"), "tanh");
    lg_safetensors_close(file);
    ck_assert_double_eq(program_fact("r/run.json", "arguments.margin"), 1);
}
END_TEST

/* ---- a model that is there ---- */

/* moved.csv: the same rows with the columns in another order, another column, and no label. */
static void write_moved(void)
{
    program_ok("awk -F, '{print $3 \",\" $1 \",n\" NR \",\" $4 \",\" $2}' rows.csv >moved.csv");
}

/* Bit for bit, whatever the file of rows looks like. */
START_TEST(other_files_get_the_vectors_of_the_training_run)
{
    write_moved();
    program_ok(SMALL " --out r && $bin/siamese --load r --predict rows.csv --out p && cmp r/embeddings.npy p/embeddings.npy");
    program_ok("$bin/siamese --load r/model.safetensors --predict moved.csv --out - | cmp - p/predictions.csv");
    ck_assert_int_eq(strncmp(program_file("p/predictions.csv"), "row,e1,e2,e3,e4\n", 16), 0);
    lg_tensor *made = lg_npy_read(program_path("r/embeddings.npy"), LG_REAL);
    lg_dataset *rows = lg_dataset_read_csv(program_path("rows.csv"), &(lg_csv_options){ .target = "who" });
    size_t n;
    double *e3 = table_column("p/predictions.csv", "e3", NULL, &n);
    ck_assert_uint_eq(n, 120);
    for (size_t i = 0; i < n; i++)
        ck_assert_double_eq_tol(e3[i], (double)lg_tensor_data(made)[4 * i + 2], 1e-6 * (1 + fabs(e3[i])));
    ck_assert_int_eq(lg_npy_write_array(program_path("rows.npy"), LG_REAL, 2, (size_t[]){ 120, 4 },
                                        lg_dataset_values(rows, "x")), LG_OK);
    program_ok("$bin/siamese --load r --predict rows.npy --out - | cmp - p/predictions.csv");
    ck_assert_double_eq(program_fact("p/run.json", "model.threshold"),
                        program_fact("r/run.json", "metrics.test.at_equal_errors.threshold"));
    free(e3);
    lg_tensor_free(made);
    lg_dataset_free(rows);
}
END_TEST

/* With a rate that moves nothing, the loss is that of the weights that were kept: the best of validation. */
START_TEST(training_goes_on_from_a_model)
{
    program_ok(SMALL " --out r && $bin/siamese --load r --data rows.csv --target who --pairs 400 --eval-pairs 300 --seed 1 "
               "--epochs 1 --lr 1e-30 --out still && cmp r/embeddings.npy still/embeddings.npy");
    size_t n;
    double *loss = table_column("r/history.csv", "val_loss", NULL, &n), least = INFINITY;
    for (size_t i = 0; i < n; i++)
        least = fmin(least, loss[i]);
    ck_assert_double_eq_tol(program_fact("still/run.json", "training.last.val_loss"), least, 1e-9);
    /* other classes, and columns in another order */
    clusters_write("more.csv", 10, 9, 8, 1, 2);
    program_ok("awk -F, '{print $3 \",\" $5 \",\" $1 \",\" $4 \",\" $2}' more.csv >turned.csv && "
               "$bin/siamese --load r --data turned.csv --target who --pairs 200 --eval-pairs 100 --epochs 2 --out on");
    ck_assert_double_eq(program_fact("on/run.json", "data.rows"), 72);
    program_refused(1, "is a model of 4 features, but the data have 64", "$bin/siamese --load r --out refused");
    free(loss);
}
END_TEST

START_TEST(models_and_rows_that_do_not_fit_are_refused)
{
    const lg_real wide[10] = { 0 };
    ck_assert_int_eq(lg_npy_write_array(program_path("wide.npy"), LG_REAL, 2, (size_t[]){ 2, 5 }, wide), LG_OK);
    program_ok(SMALL " --epochs 1 --out r && cut -d, -f1,3- rows.csv >no-b.csv && head -c 700 r/model.safetensors >cut && "
               "sed 's/\"embedder\"/\"ember\"/' r/model.safetensors >odd; sed 's/4,16,4/4,17,4/' r/model.safetensors >wide; "
               "head -c 900 /dev/urandom >garbage; sed 's/\\(\"threshold\":\"\\)./\\1x/' r/model.safetensors >numberless; "
               "sed '1s/d,who/e,who/' rows.csv >named.csv");
#define PREDICT "$bin/siamese --out refused --load "
    program_refused(1, "no-b.csv: the feature \"b\" is missing", PREDICT "r --predict no-b.csv");
    program_refused(1, "named.csv: the feature \"d\" is missing", PREDICT "r --predict named.csv");
    program_refused(1, "named.csv: the feature \"d\" is missing", PREDICT "r --data named.csv --target who");
    program_refused(1, "wide.npy: rows are 5, but", PREDICT "r --predict wide.npy");
    program_refused(1, "cut: ", PREDICT "cut --predict rows.csv");
    program_refused(1, "garbage: ", PREDICT "garbage --predict rows.csv");
    program_refused(1, "odd: ", PREDICT "odd --predict rows.csv");
    program_refused(1, "has no layer \"dense_1\" from 4 to 17", PREDICT "wide --predict rows.csv");
    program_refused(1, "numberless: is no whole model: its text \"threshold\"", PREDICT "numberless --predict rows.csv");
    program_refused(1, "absent: ", PREDICT "absent --data rows.csv --target who");
    program_refused(1, "siamese: rows.csv: ", PREDICT "rows.csv --predict rows.csv");
    program_refused(2, "no --hidden", PREDICT "r --predict rows.csv --hidden 3");
    program_refused(2, "no --normalize", PREDICT "r --data rows.csv --target who --normalize yes");
    program_refused(2, "no --margin", PREDICT "r --predict rows.csv --margin 3");
}
END_TEST

START_TEST(what_is_wrong_is_said_in_one_line)
{
    static const struct {
        const char *arguments;
        int status;
        const char *part;
    } cases[] = {
        { "--bogus", 2, "unrecognized option '--bogus'" },
        { "--margin 0", 2, "--margin: \"0\" is not a number above 0" },
        { "--similar-label 2", 2, "--similar-label: \"2\" is not one of" },
        { "--data rows.csv", 2, "--data needs --target or --labels" },
        { "--target who", 2, "--target needs --data" },
        { "--test-split 0", 2, "--test-split" },
        { "--data none.csv --target who", 1, "siamese: none.csv: " },
        { "--data rows.csv --target whom", 1, "whom" },
        { "--data two.csv --target who", 1, "split_by_class: the rows are of 2 classes, but 3 parts are wanted" },
        { "--data four.csv --target who", 1, "the validation part has 1 classes of two rows or more, but two are needed" },
        { "--data one.csv --target who", 1, "siamese: " },
        { "--data empty.csv --target who", 1, "empty.csv" },
        { "--data garbage.csv --target who", 1, "garbage.csv" },
    };
    clusters_write("two.csv", 0, 2, 5, 1, 1);
    clusters_write("four.csv", 0, 4, 5, 1, 1);
    clusters_write("one.csv", 0, 1, 1, 1, 1);
    program_write("empty.csv", "");
    program_write("garbage.csv", "a,who\n1,x\n\"open,2\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int status = program_run("$bin/siamese --out r --epochs 1 %s", cases[i].arguments);
        const char *error = program_file("err");
        ck_assert_msg(status == cases[i].status, "%s: exit %d: %s", cases[i].arguments, status, error);
        ck_assert_msg(strstr(error, cases[i].part) != NULL, "%s: %s", cases[i].arguments, error);
        ck_assert_uint_eq(count_lines(error), status == 2 ? 2 : 1);
        ck_assert(!program_has("r/run.json"));
    }
    ck_assert_int_eq(program_run("$bin/siamese --help"), 0);
    ck_assert_ptr_nonnull(strstr(program_file("out"), "Share of the classes"));
}
END_TEST

Suite *siamese_suite(void)
{
    Suite *suite = suite_create("siamese");
    TCase *tcase = tcase_create("siamese");
    tcase_add_checked_fixture(tcase, setup, program_teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, digits_that_it_has_never_seen_are_told_apart);
    tcase_add_test(tcase, rates_are_those_of_counting_over_the_predictions);
    tcase_add_test(tcase, unseen_clusters_are_told_apart);
    tcase_add_test(tcase, both_label_conventions_have_their_loss);
    tcase_add_test(tcase, the_parts_share_no_class);
    tcase_add_test(tcase, the_model_in_its_file_makes_the_embeddings);
    tcase_add_test(tcase, the_picture_shows_principal_components);
    tcase_add_test(tcase, a_seed_says_it_all);
    tcase_add_test(tcase, every_number_is_in_the_history_and_every_file_is_listed);
    tcase_add_test(tcase, the_textbooks_sizes_are_one_option);
    tcase_add_test(tcase, other_files_get_the_vectors_of_the_training_run);
    tcase_add_test(tcase, training_goes_on_from_a_model);
    tcase_add_test(tcase, models_and_rows_that_do_not_fit_are_refused);
    tcase_add_test(tcase, what_is_wrong_is_said_in_one_line);
    suite_add_tcase(suite, tcase);
    return suite;
}
