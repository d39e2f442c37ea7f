#include "workloads_models.h"

/* Parameters of a layer. */
#define DENSE(in, out) ((in) * (out) + (out))

enum { SGD_ARRAYS = 2, ADAM_ARRAYS = 4 };

/* Matrix products of a layer, forward and by the weight, and by its input unless that is data: 2 rows in out each. */
#define LAYER(rows, in, out) (6.0 * (rows) * (in) * (out))
#define FIRST_LAYER(rows, in, out) (4.0 * (rows) * (in) * (out))

static const lg_loss_options of_logits = { .from_logits = true };

static bool complete(const session *s, size_t tensors)
{
    for (size_t i = 0; i < tensors; i++)
        if (!s->tensors[i])
            return false;
    return s->optimizer != NULL;
}

/* Labels 0 and 1, as reals. */
static lg_tensor *draw_labels(session *s, size_t rank, const size_t *dims)
{
    lg_tensor *labels = draw(s, rank, dims, 0, 1);
    lg_real *y = lg_tensor_data(labels);
    for (size_t i = 0; i < lg_tensor_size(labels); i++)
        y[i] = y[i] < (lg_real)0.5;
    return labels;
}

/* ------------------------------------------------ a: logistic regression */

enum { A_ROWS = 800, A_FEATURES = 20 };

static bool make_a(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(A_ROWS, A_FEATURES), -1, 1);
    s->tensors[1] = draw_labels(s, LG_SHAPE(A_ROWS, 1));
    draw_dense(s, 0, A_FEATURES, 1, LG_LINEAR);
    s->optimizer = lg_sgd_new(s->params, &(lg_sgd_options){ .learning_rate = 0.1 });
    return complete(s, 2);
}

static lg_tensor *record_a(session *s)
{
    lg_tensor *logits = lg_dense_apply(s->tape, s->layers[0], s->tensors[0]); /* [800, 1] */
    return lg_binary_crossentropy(s->tape, logits, s->tensors[1], &of_logits);
}

static const workload a = { .name = "a",
                            .what = "logistic regression 800x20, full batch, SGD",
                            .samples = A_ROWS,
                            .flops = FIRST_LAYER(A_ROWS, A_FEATURES, 1),
                            .make = make_a,
                            .record = record_a,
                            .bare = { .parameters = DENSE(A_FEATURES, 1), .arrays = SGD_ARRAYS,
                                      .elements = A_ROWS, .exponentials = 2 } };

/* ---------------------------------------------------------- b: small MLP */

enum { B_ROWS = 32, B_IN = 20, B_HIDDEN = 64, B_BATCHES = 100 };

static bool make_b_layers(session *s)
{
    draw_dense(s, 0, B_IN, B_HIDDEN, LG_TANH);
    draw_dense(s, 1, B_HIDDEN, 1, LG_LINEAR);
    s->optimizer = lg_adam_new(s->params, &(lg_adam_options){ .learning_rate = 1e-3 });
    return s->optimizer != NULL;
}

static bool make_b(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(B_ROWS, B_IN), -1, 1);
    s->tensors[1] = draw_labels(s, LG_SHAPE(B_ROWS, 1));
    return make_b_layers(s) && complete(s, 2);
}

static lg_tensor *record_b_of(session *s, lg_tape *tape, lg_tensor *x, lg_tensor *y)
{
    lg_tensor *h = lg_dense_apply(tape, s->layers[0], x);      /* [32, 64] */
    lg_tensor *logits = lg_dense_apply(tape, s->layers[1], h); /* [32, 1] */
    return lg_binary_crossentropy(tape, logits, y, &of_logits);
}

static lg_tensor *record_b(session *s)
{
    return record_b_of(s, s->tape, s->tensors[0], s->tensors[1]);
}

/* A tanh of each hidden unit; the loss is next to nothing. */
#define B_BARE { .parameters = DENSE(B_IN, B_HIDDEN) + DENSE(B_HIDDEN, 1), .arrays = ADAM_ARRAYS, \
                 .elements = B_ROWS * B_HIDDEN, .exponentials = 1, .activations = B_ROWS * B_HIDDEN }
#define B_FLOPS (FIRST_LAYER(B_ROWS, B_IN, B_HIDDEN) + LAYER(B_ROWS, B_HIDDEN, 1))

static const workload b = { .name = "b",
                            .what = "MLP 20-64(tanh)-1, batch 32, Adam",
                            .samples = B_ROWS,
                            .flops = B_FLOPS,
                            .make = make_b,
                            .record = record_b,
                            .bare = B_BARE };

/* The same steps by lg_fit, shuffled, on a data set of 100 batches. */
static bool make_b_fit(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(B_BATCHES * B_ROWS, B_IN), -1, 1);
    s->tensors[1] = draw_labels(s, LG_SHAPE(B_BATCHES * B_ROWS));
    s->dataset = lg_dataset_from_arrays(B_BATCHES * B_ROWS, B_IN, lg_tensor_data(s->tensors[0]),
                                        lg_tensor_data(s->tensors[1]));
    return make_b_layers(s) && s->dataset;
}

static lg_tensor *step_b_fit(lg_tape *tape, const lg_batch *batch, void *model)
{
    return record_b_of(model, tape, lg_batch_x(tape, batch), lg_batch_y(tape, batch));
}

static bool run_b_fit(session *s, size_t steps)
{
    const lg_fit_options options = { .epochs = steps / B_BATCHES, .batch_size = B_ROWS, .verbose = LG_SILENT };
    lg_history *history = lg_fit(step_b_fit, s, s->optimizer, s->dataset, &options);
    if (!history)
        return false;
    s->value = lg_history_last(history, "loss");
    lg_history_free(history);
    return true;
}

static const workload b_fit = { .name = "b.fit",
                                .what = "b by lg_fit, shuffled, 100 batches an epoch",
                                .samples = B_ROWS,
                                .flops = B_FLOPS,
                                .granule = B_BATCHES,
                                .make = make_b_fit,
                                .run = run_b_fit,
                                .bare = B_BARE };

/* --------------------------------------------------------- c: classifier */

enum { C_ROWS = 128, C_IN = 784, C_HIDDEN_1 = 512, C_HIDDEN_2 = 256, C_CLASSES = 10 };

static bool make_c(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(C_ROWS, C_IN), 0, 1);
    s->tensors[1] = draw_indices(s, LG_SHAPE(C_ROWS), C_CLASSES);
    draw_dense(s, 0, C_IN, C_HIDDEN_1, LG_RELU);
    draw_dense(s, 1, C_HIDDEN_1, C_HIDDEN_2, LG_RELU);
    draw_dense(s, 2, C_HIDDEN_2, C_CLASSES, LG_LINEAR);
    s->optimizer = lg_adam_new(s->params, &(lg_adam_options){ .learning_rate = 1e-3 });
    return complete(s, 2);
}

static lg_tensor *record_c(session *s)
{
    lg_tensor *h = lg_dense_apply(s->tape, s->layers[0], s->tensors[0]); /* [128, 512] */
    h = lg_dense_apply(s->tape, s->layers[1], h);                        /* [128, 256] */
    lg_tensor *logits = lg_dense_apply(s->tape, s->layers[2], h);        /* [128, 10] */
    return lg_sparse_categorical_crossentropy(s->tape, logits, s->tensors[1], &of_logits);
}

static const workload c = { .name = "c",
                            .what = "MLP 784-512-256-10 (relu), softmax CE, batch 128, Adam",
                            .samples = C_ROWS,
                            .flops = FIRST_LAYER(C_ROWS, C_IN, C_HIDDEN_1) + LAYER(C_ROWS, C_HIDDEN_1, C_HIDDEN_2) +
                                     LAYER(C_ROWS, C_HIDDEN_2, C_CLASSES),
                            .make = make_c,
                            .record = record_c,
                            .bare = { .parameters = DENSE(C_IN, C_HIDDEN_1) + DENSE(C_HIDDEN_1, C_HIDDEN_2) +
                                                    DENSE(C_HIDDEN_2, C_CLASSES),
                                      .arrays = ADAM_ARRAYS, .elements = C_ROWS * C_CLASSES, .exponentials = 1,
                                      .activations = C_ROWS * (C_HIDDEN_1 + C_HIDDEN_2) } };

/* ---------------------------------------------- d: variational autoencoder */

enum { D_ROWS = 128, D_PIXELS = 784, D_HIDDEN = 400, D_LATENT = 20 };

static bool make_d(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(D_ROWS, D_PIXELS), 0, 1);
    s->tensors[1] = draw(s, LG_SHAPE(D_ROWS, D_LATENT), -2, 2); /* the noise, resident too */
    draw_dense(s, 0, D_PIXELS, D_HIDDEN, LG_RELU);
    draw_dense(s, 1, D_HIDDEN, 2 * D_LATENT, LG_LINEAR);
    draw_dense(s, 2, D_LATENT, D_HIDDEN, LG_RELU);
    draw_dense(s, 3, D_HIDDEN, D_PIXELS, LG_LINEAR);
    s->optimizer = lg_adam_new(s->params, &(lg_adam_options){ .learning_rate = 1e-3 });
    return complete(s, 2);
}

static lg_tensor *record_d(session *s)
{
    lg_tape *tape = s->tape;
    lg_tensor *x = s->tensors[0];
    lg_tensor *both = lg_dense_apply(tape, s->layers[1], lg_dense_apply(tape, s->layers[0], x)); /* [128, 40] */
    lg_tensor *mean = lg_slice(tape, both, 1, 0, D_LATENT);                                      /* [128, 20] */
    lg_tensor *log_var = lg_slice(tape, both, 1, D_LATENT, 2 * D_LATENT);
    lg_tensor *deviation = lg_exp(tape, lg_scale(tape, log_var, 0.5));
    lg_tensor *z = lg_add(tape, mean, lg_mul(tape, deviation, s->tensors[1]));
    lg_tensor *logits = lg_dense_apply(tape, s->layers[3], lg_dense_apply(tape, s->layers[2], z)); /* [128, 784] */
    return lg_vae(tape, logits, x, mean, log_var, 1, LG_RECONSTRUCT_BCE_LOGITS, NULL);
}

static const workload d = { .name = "d",
                            .what = "VAE 784-400-(20+20)-400-784, BCE + KL, batch 128, Adam",
                            .samples = D_ROWS,
                            .flops = FIRST_LAYER(D_ROWS, D_PIXELS, D_HIDDEN) + LAYER(D_ROWS, D_HIDDEN, 2 * D_LATENT) +
                                     LAYER(D_ROWS, D_LATENT, D_HIDDEN) + LAYER(D_ROWS, D_HIDDEN, D_PIXELS),
                            .make = make_d,
                            .record = record_d,
                            .bare = { .parameters = DENSE(D_PIXELS, D_HIDDEN) + DENSE(D_HIDDEN, 2 * D_LATENT) +
                                                    DENSE(D_LATENT, D_HIDDEN) + DENSE(D_HIDDEN, D_PIXELS),
                                      .arrays = ADAM_ARRAYS, .elements = D_ROWS * D_PIXELS, .exponentials = 2,
                                      .activations = D_ROWS * 2 * D_HIDDEN } };

/* -------------------------------------------------- e: triplet embedding */

enum { E_ROWS = 64, E_IN = 512, E_OUT = 128 };

/* Anchors, positives and negatives are embedded as one batch, here and by the rivals. */
static bool make_e(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(3 * E_ROWS, E_IN), -1, 1);
    draw_dense(s, 0, E_IN, E_OUT, LG_TANH);
    s->optimizer = lg_sgd_new(s->params, &(lg_sgd_options){ .learning_rate = 1e-4 });
    return complete(s, 1);
}

static lg_tensor *record_e(session *s)
{
    lg_tensor *all = lg_dense_apply(s->tape, s->layers[0], s->tensors[0]); /* [192, 128] */
    lg_tensor *anchor = lg_slice(s->tape, all, 0, 0, E_ROWS);
    lg_tensor *positive = lg_slice(s->tape, all, 0, E_ROWS, 2 * E_ROWS);
    lg_tensor *negative = lg_slice(s->tape, all, 0, 2 * E_ROWS, 3 * E_ROWS);
    return lg_triplet_margin(s->tape, anchor, positive, negative, 0.2, LG_DISTANCE_SQEUCLIDEAN, 2, false, false, NULL);
}

static const workload e = { .name = "e",
                            .what = "triplet 512-128(tanh), margin 0.2, batch 64, SGD",
                            .samples = E_ROWS,
                            .flops = FIRST_LAYER(3 * E_ROWS, E_IN, E_OUT),
                            .make = make_e,
                            .record = record_e,
                            .bare = { .parameters = DENSE(E_IN, E_OUT), .arrays = SGD_ARRAYS,
                                      .elements = 3 * E_ROWS * E_OUT, .exponentials = 1,
                                      .activations = 3 * E_ROWS * E_OUT } };

/* -------------------------------------------------------- g: linear SVM */

enum { G_ROWS = 1000, G_FEATURES = 20 };

#define G_LAMBDA 1e-3

static bool make_g(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(G_ROWS, G_FEATURES), -1, 1);
    s->tensors[1] = draw_labels(s, LG_SHAPE(G_ROWS));
    lg_real *y = lg_tensor_data(s->tensors[1]);
    for (size_t i = 0; y && i < G_ROWS; i++)
        y[i] = 2 * y[i] - 1;
    s->layers[0] = lg_dense_new_with(s->params, "plane", G_FEATURES, 1, &(lg_dense_options){ .init = LG_INIT_ZEROS }, NULL);
    s->optimizer = lg_sgd_new(s->params, &(lg_sgd_options){ .learning_rate = 0.01 });
    return complete(s, 2) && s->layers[0];
}

/* One row after the other. */
static lg_tensor *record_g(session *s)
{
    const size_t row = s->position % G_ROWS;
    lg_tensor *x = lg_view(s->tape, LG_SHAPE(1, G_FEATURES), lg_tensor_data(s->tensors[0]) + row * G_FEATURES);
    lg_tensor *y = lg_view(s->tape, LG_SHAPE(1), lg_tensor_data(s->tensors[1]) + row);
    return lg_svm_linear(s->tape, x, lg_dense_weight(s->layers[0]), lg_dense_bias(s->layers[0]), y, G_LAMBDA, 1, false,
                         NULL);
}

static const workload g = { .name = "g",
                            .what = "linear SVM 1000x20, batch 1, SGD",
                            .samples = 1,
                            .flops = FIRST_LAYER(1, G_FEATURES, 1),
                            .make = make_g,
                            .record = record_g };

/* ------------------------------------------------ h: quantile regression */

enum { H_ROWS = 1000 };

static bool make_h(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(H_ROWS, 1), -1, 1);
    s->tensors[1] = draw(s, LG_SHAPE(H_ROWS, 1), -1, 1);
    draw_dense(s, 0, 1, 1, LG_LINEAR);
    s->optimizer = lg_sgd_new(s->params, &(lg_sgd_options){ .learning_rate = 0.01 });
    return complete(s, 2);
}

static lg_tensor *record_h(session *s)
{
    lg_tensor *line = lg_dense_apply(s->tape, s->layers[0], s->tensors[0]); /* [1000, 1] */
    return lg_quantile(s->tape, line, s->tensors[1], 0.9, NULL);
}

static const workload h = { .name = "h",
                            .what = "quantile regression 1000x1, full batch, SGD",
                            .samples = H_ROWS,
                            .flops = FIRST_LAYER(H_ROWS, 1, 1),
                            .make = make_h,
                            .record = record_h };

const workload *const model_workloads[] = { &a, &b, &b_fit, &c, &d, &e, &g, &h, NULL };
