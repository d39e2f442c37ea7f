/* The Siamese network: are two rows of the same class? One network embeds both; they are alike when their vectors are
 * near.
 *
 *     build/siamese                                           handwritten digits of 8 x 8 pixels
 *     build/siamese --embedding 2 --hidden 64                 an embedding that can be drawn as it is
 *     build/siamese --data omniglot-images-idx3-ubyte.gz --labels omniglot-labels-idx1-ubyte.gz --hidden 256 --embedding 64
 *     build/siamese --load runs/siamese --predict new.csv     the vectors of other rows
 *
 * It learns from pairs, drawn anew each epoch: the contrastive loss pulls pairs of one class together, and pushes pairs
 * of two classes apart until they are a margin away. Nothing in it is about certain classes, so it can be asked about
 * classes that it has never seen; by these it is judged. */
#include "embedder_steps.h"
#include "pairs.h"
#include "siamese_options.h"
#include "trainer_steps.h"

#include <math.h>
#include <stdlib.h>

typedef struct siamese {
    siamese_options options;
    trainer_data data;
    embedder net;
    lg_draw *train, *validation; /* pairs */
    lg_optimizer *optimizer;
} siamese;

/* -------------------------------------------------------------------- data */

/* Pairs of rows, half of them of one class, from the classes that are for learning and from those for validation. */
static lg_status draw_pairs(siamese *s)
{
    const trainer_options *shared = &s->options.shared;
    const lg_split *split = s->data.split;
    const lg_rng train = trainer_rng(shared, TRAINER_OWN), validation = trainer_rng(shared, TRAINER_OWN + 1);
    s->train = lg_draw_pairs(s->data.all, split->train, split->train_rows, s->options.pairs, 0.5, &train);
    s->validation = s->train ? lg_draw_pairs(s->data.all, split->validation, split->validation_rows, 2000, 0.5, &validation)
                             : NULL;
    return s->validation ? LG_OK : lg_error_code();
}

/* lg_fit calls this after each epoch: other pairs for the next. Those of validation stay. */
static lg_status draw_the_next(size_t epoch, const lg_history *history, void *model)
{
    (void)history;
    return lg_draw_epoch(((siamese *)model)->train, epoch);
}

static lg_status prepare(void *model)
{
    siamese *s = model;
    const trainer_options *shared = &s->options.shared;
    lg_status status = embedder_prepare(&s->net, &s->data, &siamese_about, shared, &s->options.embedder);
    s->optimizer = status == LG_OK ? trainer_optimizer(shared, s->net.params) : NULL;
    return s->optimizer ? draw_pairs(s) : lg_error_code();
}

/* -------------------------------------------------------------------- loss */

/* What the history says of a batch, beside its loss: how well the distance tells whether pairs are of one class. */
static void report_scores(lg_tape *tape, lg_tensor *a, lg_tensor *b, lg_tensor *same, double threshold)
{
    lg_tensor *squares = lg_sum_axis(tape, lg_square(tape, lg_sub(tape, a, b)), -1, false); /* [batch] */
    lg_tensor *score = lg_neg(tape, lg_sqrt(tape, squares)); /* higher for what is nearer */
    lg_report_accuracy_above(tape, -threshold, score, same);
    lg_report_scores(tape, score, same);
}

/* The contrastive loss of two vectors at a distance d (Hadsell, Chopra, LeCun 2006):
 *   of one class    d^2
 *   of two classes  max(0, margin - d)^2
 * With --similar-label 0, as in the paper, it is half of that, and pairs of one class are labelled 0, the others 1. */
static lg_tensor *label_of(lg_tape *tape, const siamese *s, lg_tensor *same)
{
    return s->options.similar_label == 1 ? same : lg_add_scalar(tape, lg_neg(tape, same), 1);
}

static double weight_of(const siamese *s)
{
    return s->options.similar_label == 1 ? 1 : 0.5;
}

/* One batch of pairs: both rows through the same network. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const siamese *s = model;
    const siamese_options *o = &s->options;
    lg_tensor *a = embedder_apply(tape, &s->net, lg_batch_field(tape, batch, "a")); /* [batch, embedding] */
    lg_tensor *b = embedder_apply(tape, &s->net, lg_batch_field(tape, batch, "b")); /* [batch, embedding] */
    lg_tensor *same = lg_batch_y(tape, batch);                                      /* [batch], 1 or 0 */
    report_scores(tape, lg_detach(tape, a), lg_detach(tape, b), same, o->margin / 2);
    return lg_contrastive(tape, a, b, label_of(tape, s, same), o->margin, o->similar_label, weight_of(s), NULL);
}

/* --------------------------------------------------------------------- fit */

static lg_history *fit(siamese *s, run *r)
{
    lg_fit_options options = trainer_fit_options(&s->options.shared, lg_draw_dataset(s->validation), r);
    options.callback = draw_the_next;
    options.context = s;
    return lg_fit(step, s, s->optimizer, lg_draw_dataset(s->train), &options);
}

/* ------------------------------------------------------------------ report */

/* The loss of each pair that the network is judged by. */
static lg_status add_losses(const siamese *s, pair_part *part)
{
    part->loss = calloc(part->count, sizeof *part->loss);
    lg_real *same = calloc(part->count, sizeof *same);
    lg_tape *tape = part->loss && same ? lg_tape_new() : NULL;
    lg_status status = tape ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu losses", part->count);
    for (size_t i = 0; i < part->count && status == LG_OK; i++)
        same[i] = (lg_real)part->same[i];
    if (status == LG_OK) {
        lg_tensor *distance = lg_view(tape, LG_SHAPE(part->count), part->distance);
        lg_tensor *label = label_of(tape, s, lg_view(tape, LG_SHAPE(part->count), same));
        lg_tensor *loss = lg_contrastive_from_distance(tape, distance, label, s->options.margin, s->options.similar_label,
                                                       weight_of(s), &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
        const lg_real *values = lg_tensor_data(loss);
        for (size_t i = 0; values && i < part->count; i++)
            part->loss[i] = values[i];
        status = values ? LG_OK : lg_error_code();
    }
    lg_tape_free(tape);
    free(same);
    return status;
}

/* How well the vectors tell pairs of classes that the network has never seen. */
static lg_status judge(siamese *s, run *r)
{
    const siamese_options *options = &s->options;
    pairs p;
    double threshold;
    lg_status status = pairs_new(&p, &s->net, &s->data, &options->shared, options->embedder.pairs);
    if (status == LG_OK)
        status = pairs_report(r, &p, &options->embedder, &s->data, &threshold);
    if (status == LG_OK)
        status = embedder_leave(r, &s->net, &s->data, threshold);
    if (status == LG_OK)
        status = add_losses(s, &p.validation);
    if (status == LG_OK)
        status = add_losses(s, &p.test);
    if (status == LG_OK)
        status = pairs_write(r, &p, "predictions.csv", options->similar_label);
    if (status == LG_OK)
        status = pairs_draw_embedding(r, &p, &s->data, "Siamese network: classes that it has never seen");
    pairs_free(&p);
    return status;
}

static lg_status train(void *model, run *r, lg_history **history)
{
    siamese *s = model;
    siamese_note(r, &s->options);
    embedder_note(r, &s->net);
    trainer_note_data(r, &s->options.shared, &s->data);
    *history = fit(s, r);
    lg_status status = *history ? trainer_note_history(r, *history, "Siamese network: loss") : lg_error_code();
    if (status != LG_OK)
        return status;
    return lg_history_signal(*history) ? embedder_leave(r, &s->net, &s->data, NAN) : judge(s, r);
}

/* ---------------------------------------------------------------- together */

static lg_status predict(void *model, int argc, const char *const *argv)
{
    const siamese *s = model;
    return embedder_predict(&siamese_about, &s->options.shared, argc, argv);
}

static void release(void *model)
{
    siamese *s = model;
    lg_draw_free(s->train);
    lg_draw_free(s->validation);
    lg_optimizer_free(s->optimizer);
    embedder_free(&s->net);
    trainer_data_free(&s->data);
}

int main(int argc, char **argv)
{
    static const trainer_steps steps = { prepare, train, predict, release };
    siamese s = { .options = siamese_parse(argc, argv) };
    return trainer_main(&siamese_about, &s.options.shared, &steps, &s, argc, argv);
}
