/* The Siamese network: are two rows of the same class? One network embeds both; they are alike when their vectors are near.
 *
 *     build/siamese                                           handwritten digits of 8 x 8 pixels
 *     build/siamese --embedding 2 --hidden 64                 an embedding that can be drawn as it is
 *     build/siamese --data omniglot-images-idx3-ubyte.gz --labels omniglot-labels-idx1-ubyte.gz --hidden 256 --embedding 64
 *
 * It learns from pairs, drawn anew each epoch: the contrastive loss pulls pairs of one class together, and pushes pairs of
 * two classes apart until they are a margin away. Nothing in it is about certain classes, so it can be asked about
 * classes that it has never seen; by these it is judged. */
#include "embedder_file.h"
#include "pairs.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------ command line */

typedef struct siamese_options {
    trainer_options shared; /* first: the shared parser knows no other */
    embedder_options embedder;
    double margin;
    int similar_label;
    size_t pairs; /* per epoch */
} siamese_options;

enum { KEY_MARGIN = 256, KEY_SIMILAR_LABEL, KEY_PAIRS };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The network:", 1 },
    EMBEDDER_OPTION_ROWS,
    EMBEDDER_PAIRS_ROW,
    { "normalize", EMBEDDER_KEY_NORMALIZE, "no|yes", 0, "Scale vectors to length 1 (default: no)", 1 },
    { "margin", KEY_MARGIN, "DISTANCE", 0, "How far apart pairs of two classes shall be (default: 2)", 1 },
    { "similar-label", KEY_SIMILAR_LABEL, "0|1", 0, "How pairs of one class are labelled: 1, with the loss d^2, or 0, with "
      "half of it, as in the paper by Hadsell, Chopra and LeCun (default: 1)", 1 },
    { "pairs", KEY_PAIRS, "N", 0, "Pairs drawn for each epoch, half of them of one class (default: 2000)", 1 },
    { "textbook", EMBEDDER_KEY_TEXTBOOK, 0, 0, "A network of 512 and 128 with tanh after both, margin 1, SGD "
      "at 0.01; options after it change it", 1 },
    { 0 },
};

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    siamese_options *options = state->input;
    const argument_range positive = { 0, INFINITY, true, true };
    switch (key) {
    case KEY_MARGIN: options->margin = argument_real(state, "--margin", arg, positive); break;
    case KEY_SIMILAR_LABEL: options->similar_label = (int)argument_choice(state, "--similar-label", arg, "0|1"); break;
    case KEY_PAIRS: options->pairs = argument_count(state, "--pairs", arg, 2, 100000000); break;
    case EMBEDDER_KEY_TEXTBOOK:
        options->margin = 1;
        embedder_take_textbook(&options->embedder, &options->shared);
        break;
    default: return embedder_parse(key, arg, state, &options->embedder, &options->shared);
    }
    return 0;
}

static const char *const without[] = { EMBEDDER_WITHOUT, NULL };

static const trainer about = {
    .name = "siamese",
    .summary = "Trains a Siamese network: tells whether two rows are of one class, also of classes that it has never seen. "
               "Without --data it trains on 1,797 handwritten digits.",
    .examples = "Examples:\n"
                "  siamese --embedding 2 --hidden 64\n"
                "  siamese --similar-label 0 --epochs 5\n"
                "  siamese --data data/digits.csv.gz --target -1 --textbook\n"
                "  siamese --data images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --hidden 256 --embedding 64",
    .without = without,
    .options = own_options,
    .parser = parse_own,
};

/* ------------------------------------------------------------------- model */

typedef struct siamese {
    const siamese_options *options;
    trainer_data data;
    embedder net;
    lg_draw *train, *validation; /* pairs */
    lg_optimizer *optimizer;
} siamese;

static lg_status draw_pairs(siamese *s)
{
    const lg_split *split = s->data.split;
    const lg_rng train = trainer_rng(&s->options->shared, TRAINER_OWN);
    const lg_rng validation = trainer_rng(&s->options->shared, TRAINER_OWN + 1);
    s->train = lg_draw_pairs(s->data.all, split->train, split->train_rows, s->options->pairs, 0.5, &train);
    s->validation = s->train ? lg_draw_pairs(s->data.all, split->validation, split->validation_rows, 2000, 0.5, &validation)
                             : NULL;
    return s->validation ? LG_OK : lg_error_code();
}

/* lg_fit calls this after each epoch: other pairs for the next. Those of validation stay. */
static lg_status draw_the_next(size_t epoch, const lg_history *history, void *context)
{
    siamese *s = context;
    (void)history;
    return lg_draw_epoch(s->train, epoch);
}

static lg_status build_model(siamese *s)
{
    lg_status status = embedder_new(&s->net, &s->options->embedder, s->data.scaler,
                                    trainer_rng(&s->options->shared, TRAINER_WEIGHTS));
    s->optimizer = status == LG_OK ? trainer_optimizer(&s->options->shared, s->net.params) : NULL;
    return s->optimizer ? draw_pairs(s) : lg_error_code();
}

/* The contrastive loss in the convention asked for, of distances [n] and 1 for pairs of one class. */
static lg_tensor *loss_of_distances(lg_tape *tape, const siamese *s, lg_tensor *distance, lg_tensor *same,
                                    lg_reduction reduction)
{
    const int similar = s->options->similar_label;
    lg_tensor *target = similar ? same : lg_add_scalar(tape, lg_neg(tape, same), 1);
    return lg_contrastive_from_distance(tape, distance, target, s->options->margin, similar, similar ? 1 : 0.5,
                                        &(lg_loss_options){ .reduction = reduction });
}

/* One batch of pairs. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const siamese *s = model;
    lg_tensor *a = embedder_apply(tape, &s->net, lg_batch_field(tape, batch, "a")); /* [batch, embedding] */
    lg_tensor *b = embedder_apply(tape, &s->net, lg_batch_field(tape, batch, "b"));
    lg_tensor *same = lg_batch_y(tape, batch);                                      /* [batch], 1 or 0 */
    const int similar = s->options->similar_label;
    lg_tensor *target = similar ? same : lg_add_scalar(tape, lg_neg(tape, same), 1);
    lg_tensor *squares = lg_sum_axis(tape, lg_square(tape, lg_sub(tape, lg_detach(tape, a), lg_detach(tape, b))), -1, false);
    lg_tensor *score = lg_neg(tape, lg_sqrt(tape, squares));                        /* higher for what is nearer */
    lg_report_accuracy_above(tape, -s->options->margin / 2, score, same);
    lg_report_scores(tape, score, same);
    return lg_contrastive(tape, a, b, target, s->options->margin, similar, similar ? 1 : 0.5, NULL);
}

/* ---------------------------------------------------------------- training */

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
        lg_tensor *loss = loss_of_distances(tape, s, distance, lg_view(tape, LG_SHAPE(part->count), same), LG_REDUCE_NONE);
        const lg_real *values = lg_tensor_data(loss);
        for (size_t i = 0; values && i < part->count; i++)
            part->loss[i] = values[i];
        status = values ? LG_OK : lg_error_code();
    }
    lg_tape_free(tape);
    free(same);
    return status;
}

static lg_status judge(siamese *s, run *r)
{
    pairs p;
    lg_status status = pairs_new(&p, &s->net, &s->data, &s->options->shared, s->options->embedder.pairs);
    if (status == LG_OK)
        status = pairs_report(r, &p, &s->options->embedder, &s->data);
    if (status == LG_OK)
        status = add_losses(s, &p.validation);
    if (status == LG_OK)
        status = add_losses(s, &p.test);
    if (status == LG_OK)
        status = pairs_write(r, &p, "predictions.csv", s->options->similar_label);
    if (status == LG_OK)
        status = pairs_draw_embedding(r, &p, &s->data, "Siamese network: classes that it has never seen");
    pairs_free(&p);
    return status;
}

static lg_status train(siamese *s, run *r, lg_history **history)
{
    embedder_note(r, &s->options->embedder);
    run_note_number(r, "arguments.margin", s->options->margin);
    run_note_count(r, "arguments.similar_label", (uint64_t)s->options->similar_label);
    run_note_count(r, "arguments.pairs", s->options->pairs);
    trainer_note_data(r, &s->options->shared, &s->data);
    lg_fit_options options = trainer_fit_options(&s->options->shared, lg_draw_dataset(s->validation), r);
    options.callback = draw_the_next;
    options.context = s;
    *history = lg_fit(step, s, s->optimizer, lg_draw_dataset(s->train), &options);
    if (!*history)
        return lg_error_code();
    lg_status status = trainer_note_history(r, *history, "Siamese network: loss");
    const char *path = status == LG_OK ? run_path(r, "model.safetensors") : NULL;
    if (status == LG_OK)
        status = path ? embedder_save(&s->net, path, NULL, 0, NULL, 0) : lg_error_code();
    if (status != LG_OK)
        return status;
    run_note_file(r, "model.safetensors");
    return lg_history_signal(*history) ? LG_OK : judge(s, r);
}

int main(int argc, char **argv)
{
    siamese_options options = { .shared = { .epochs = 20,
                                            .batch_size = 64,
                                            .optimizer = "adam",
                                            .learning_rate = 0.0003,
                                            .seed = 42, .early_stopping = 3,
                                            .validation_split = 0.2,
                                            .test_split = 0.3,
                                            .verbose = LG_PROGRESS },
                                .embedder = EMBEDDER_DEFAULTS,
                                .margin = 2,
                                .similar_label = 1,
                                .pairs = 2000 };
    trainer_parse(&about, &options, argc, argv);
    siamese s = { .options = &options };
    run *r = NULL;
    lg_history *history = NULL;
    lg_status status = run_check(options.shared.out, options.shared.overwrite);
    if (status == LG_OK)
        status = embedder_read(&s.data, &options.shared, &options.embedder);
    if (status == LG_OK)
        status = build_model(&s);
    if (status == LG_OK)
        status = embedder_print_data(&options.shared, &s.data);
    if (status == LG_OK)
        status = lg_sequential_summary(s.net.net, stdout);
    if (status == LG_OK && !options.shared.dry_run) {
        r = trainer_open(&about, &options.shared, argc, (const char *const *)argv);
        status = r ? train(&s, r, &history) : lg_error_code();
        status = trainer_close(r, history, status);
    }
    const int signal_number = lg_history_signal(history);
    lg_history_free(history);
    run_free(r);
    lg_draw_free(s.train);
    lg_draw_free(s.validation);
    lg_optimizer_free(s.optimizer);
    embedder_free(&s.net);
    trainer_data_free(&s.data);
    return trainer_end(status, signal_number);
}
