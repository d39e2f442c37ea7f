#include "workloads_losses.h"

enum { ELEMENTS = 1000000, SIDE = 1000, CE_ROWS = 4096, PAIRS = 7812, WIDTH = 128 };

/* Whether the tensors are there, of which the first `leaves` want gradients. */
static bool complete(session *s, size_t tensors, size_t leaves)
{
    s->leaf_count = leaves;
    for (size_t i = 0; i < tensors; i++)
        if (!s->tensors[i])
            return false;
    return true;
}

/* ---------------------------------------------------------------- f: CTC */

static bool make_ctc(session *s, size_t samples, size_t frames, size_t classes, size_t labels)
{
    s->tensors[0] = draw(s, LG_SHAPE(samples, frames, classes), -2, 2);
    s->tensors[1] = draw_indices(s, LG_SHAPE(samples, labels), classes - 1);
    int32_t *label = lg_tensor_indices(s->tensors[1]);
    for (size_t i = 0; label && i < samples * labels; i++)
        label[i]++; /* 0 is the blank */
    return complete(s, 2, 1);
}

static bool make_f1(session *s)
{
    return make_ctc(s, 32, 150, 64, 20);
}

static bool make_f2(session *s)
{
    return make_ctc(s, 64, 50, 28, 10);
}

static lg_tensor *record_ctc(session *s)
{
    return lg_ctc(s->tape, s->leaves[0], s->tensors[1], NULL, NULL, LG_CTC_LOGITS, 0, false, false, NULL);
}

/* ------------------------------------------------ i: losses by themselves */

/* Two arrays of a million: predictions and targets, in these ranges. */
static bool make_two(session *s, double low, double high, double target_low, double target_high, bool labels)
{
    s->tensors[0] = draw(s, LG_SHAPE(ELEMENTS), low, high);
    s->tensors[1] = draw(s, LG_SHAPE(ELEMENTS), target_low, target_high);
    lg_real *y = lg_tensor_data(s->tensors[1]);
    for (size_t i = 0; y && labels && i < ELEMENTS; i++)
        y[i] = y[i] < (lg_real)0.5;
    return complete(s, 2, 1);
}

static bool make_numbers(session *s)
{
    return make_two(s, -2, 2, -2, 2, false);
}

static bool make_probabilities(session *s)
{
    return make_two(s, 0.05, 0.95, 0, 1, true);
}

static bool make_logits(session *s)
{
    return make_two(s, -4, 4, 0, 1, true);
}

static lg_tensor *record_mse(session *s)
{
    return lg_mean_squared_error(s->tape, s->leaves[0], s->tensors[1], NULL);
}

static lg_tensor *record_huber(session *s)
{
    return lg_huber(s->tape, s->leaves[0], s->tensors[1], 1, NULL);
}

static lg_tensor *record_bce(session *s)
{
    return lg_binary_crossentropy(s->tape, s->leaves[0], s->tensors[1], NULL);
}

static lg_tensor *record_bce_logits(session *s)
{
    return lg_binary_crossentropy(s->tape, s->leaves[0], s->tensors[1], &(lg_loss_options){ .from_logits = true });
}

static lg_tensor *record_focal(session *s)
{
    return lg_binary_focal_crossentropy(s->tape, s->leaves[0], s->tensors[1], 2, 0.25, LG_ALPHA_BALANCED,
                                        &(lg_loss_options){ .from_logits = true });
}

static bool make_kl(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(SIDE, SIDE), -9, -5); /* log Q */
    s->tensors[1] = draw(s, LG_SHAPE(SIDE, SIDE), 0, 0.002);    /* P */
    return complete(s, 2, 1);
}

static lg_tensor *record_kl(session *s)
{
    return lg_kl_divergence(s->tape, s->leaves[0], s->tensors[1], LG_KL_LOG_PROBS, false, NULL);
}

static bool make_softmax(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(CE_ROWS, SIDE), -4, 4);
    s->tensors[1] = draw_indices(s, LG_SHAPE(CE_ROWS), SIDE);
    return complete(s, 2, 1);
}

static lg_tensor *record_softmax(session *s)
{
    return lg_sparse_categorical_crossentropy(s->tape, s->leaves[0], s->tensors[1],
                                              &(lg_loss_options){ .from_logits = true });
}

static bool make_vectors(session *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        s->tensors[i] = draw(s, LG_SHAPE(PAIRS, WIDTH), -1, 1);
    return complete(s, count, count);
}

static bool make_triplet(session *s)
{
    return make_vectors(s, 3);
}

static lg_tensor *record_triplet(session *s)
{
    return lg_triplet_margin(s->tape, s->leaves[0], s->leaves[1], s->leaves[2], 0.2, LG_DISTANCE_SQEUCLIDEAN, 2, false,
                             false, NULL);
}

static bool make_cosine(session *s)
{
    return make_vectors(s, 2);
}

static lg_tensor *record_cosine(session *s)
{
    return lg_cosine_similarity(s->tape, s->leaves[0], s->leaves[1], 1, NULL);
}

/* Of what CTC does at least nothing simple can be said. */
static const workload f1 = { .name = "f1", .what = "CTC from logits, 32 x 150 frames, 64 classes, 20 labels",
                             .samples = 32, .make = make_f1, .record = record_ctc };
static const workload f2 = { .name = "f2", .what = "CTC from logits, 64 x 50 frames, 28 classes, 10 labels",
                             .samples = 64, .make = make_f2, .record = record_ctc };

/* `reads` arrays and writes `writes` of that many elements, with so many exponentials and logarithms of each. */
#define ALONE(id, named, described, count, maker, recorder, reads, writes, functions)                     \
    static const workload id = { .name = named, .what = described, .samples = (count), .make = maker,     \
                                 .record = recorder, .bare = { .elements = (count), .read = (reads),      \
                                                               .written = (writes), .exponentials = (functions) } };
ALONE(mse, "i.mse", "mean squared error, 1e6", ELEMENTS, make_numbers, record_mse, 2, 1, 0)
ALONE(huber, "i.huber", "Huber, 1e6", ELEMENTS, make_numbers, record_huber, 2, 1, 0)
ALONE(bce, "i.bce", "BCE of probabilities, 1e6", ELEMENTS, make_probabilities, record_bce, 2, 1, 2)
ALONE(bce_logits, "i.logits", "BCE of logits, 1e6", ELEMENTS, make_logits, record_bce_logits, 2, 1, 2)
ALONE(focal, "i.focal", "focal, of logits, gamma 2, 1e6", ELEMENTS, make_logits, record_focal, 2, 1, 2)
ALONE(kl, "i.kl", "KL from log probabilities, 1000x1000", SIDE * SIDE, make_kl, record_kl, 2, 1, 1)
ALONE(softmax, "i.softmax", "softmax CE, 4096x1000", CE_ROWS * SIDE, make_softmax, record_softmax, 1, 1, 1)
ALONE(triplet, "i.triplet", "triplet, squared, 7812x128", PAIRS * WIDTH, make_triplet, record_triplet, 3, 3, 0)
ALONE(cosine, "i.cosine", "cosine similarity, 7812x128", PAIRS * WIDTH, make_cosine, record_cosine, 2, 2, 0)

const workload *const loss_workloads[] = { &f1,    &f2, &mse,     &huber,   &bce,   &bce_logits,
                                           &focal, &kl, &softmax, &triplet, &cosine, NULL };
