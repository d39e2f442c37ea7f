/* The triplet network: embeds rows so that those of one class are nearer to each other than to any others.
 *
 *     build/triplet                                           handwritten digits of 8 x 8 pixels
 *     build/triplet --mining random --distance plain          other triplets, another distance
 *     build/triplet --data omniglot-images-idx3-ubyte.gz --labels omniglot-labels-idx1-ubyte.gz --hidden 256 --embedding 64
 *     build/triplet --load runs/triplet --predict new.csv     the vectors of other rows
 *
 * How it learns is in triplets.c: batches hold a few rows of a few classes, and of all triplets in a batch those are
 * taken that teach something. How it is judged, on classes that it has never seen, is in pairs.c. */
#include "embedder_steps.h"
#include "pairs.h"
#include "trainer_steps.h"
#include "triplets.h"

#include <math.h>

/* ------------------------------------------------------------ command line */

typedef struct options_of_all {
    trainer_options shared; /* first: the shared parser knows no other */
    embedder_options embedder;
    triplet_options triplet;
} options_of_all;

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The network:", 1 },
    EMBEDDER_OPTION_ROWS,
    EMBEDDER_PAIRS_ROW,
    { "normalize", EMBEDDER_KEY_NORMALIZE, "no|yes", 0, "Scale vectors to length 1 (default: yes)", 1 },
    TRIPLET_OPTION_ROWS,
    { "textbook", EMBEDDER_KEY_TEXTBOOK, 0, 0, "A network of 512 and 128 with tanh after both, random triplets "
      "of margin 0.2, SGD at 0.01; options after it change it", 1 },
    { 0 },
};

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    options_of_all *options = state->input;
    if (key == EMBEDDER_KEY_TEXTBOOK)
        options->triplet.mining = LG_MINE_RANDOM;
    const error_t known = triplet_parse(key, arg, state, &options->triplet);
    return known == ARGP_ERR_UNKNOWN ? embedder_parse(key, arg, state, &options->embedder, &options->shared) : known;
}

static const trainer about = {
    .name = "triplet",
    .summary = "Trains a network on triplets: an anchor shall be nearer to a row of its class than to one of another. It is "
               "judged on classes that it has never seen. Without --data it trains on 1,797 handwritten digits.",
    .examples = EMBEDDER_PREDICT_HELP "\n\n"
                "Examples:\n"
                "  triplet --mining random --margin 0.5\n"
                "  triplet --data data/digits.csv.gz --target -1 --textbook\n"
                "  triplet --data images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --hidden 256 --embedding 64\n"
                "  triplet --load runs/triplet --predict new.csv\n"
                "  triplet --load runs/triplet --data more.csv --target -1 --lr 0.00003",
    .without = (const char *const[]){ EMBEDDER_WITHOUT, TRIPLET_WITHOUT, NULL },
    .kind = EMBEDDER_KIND,
    .of_model = (const char *const[]){ EMBEDDER_OF_MODEL, NULL },
    .options = own_options,
    .parser = parse_own,
};

/* ---------------------------------------------------------------- training */

typedef struct triplet {
    options_of_all options;
    trainer_data data;
    triplet_model model;
} triplet;

/* Rows, their classes shared out into three parts; the network; and batches to begin with. */
static lg_status prepare(void *context)
{
    triplet *t = context;
    return triplet_model_new(&t->model, &t->data, &about, &t->options.shared, &t->options.embedder, &t->options.triplet);
}

/* How well the vectors tell pairs of classes that the network has never seen. */
static lg_status judge(triplet *t, run *r)
{
    const options_of_all *options = &t->options;
    pairs p;
    double threshold;
    lg_status status = pairs_new(&p, &t->model.net, &t->data, &options->shared, options->embedder.pairs);
    if (status == LG_OK)
        status = pairs_report(r, &p, &options->embedder, &t->data, &threshold);
    if (status == LG_OK)
        status = embedder_leave(r, &t->model.net, &t->data, threshold);
    if (status == LG_OK)
        status = triplets_write(r, &t->model, &t->data, p.embeddings, options->embedder.pairs);
    if (status == LG_OK)
        status = pairs_write(r, &p, "pairs.csv", 1);
    if (status == LG_OK)
        status = pairs_draw_embedding(r, &p, &t->data, "Triplet network: classes that it has never seen");
    pairs_free(&p);
    return status;
}

static lg_status train(void *context, run *r, lg_history **history)
{
    triplet *t = context;
    embedder_options_note(r, &t->options.embedder);
    embedder_note(r, &t->model.net);
    triplet_note(r, &t->options.triplet);
    trainer_note_data(r, &t->options.shared, &t->data);
    lg_status status = triplet_fit(&t->model, r, history, "Triplet network: loss");
    if (status != LG_OK)
        return status;
    return lg_history_signal(*history) ? embedder_leave(r, &t->model.net, &t->data, NAN) : judge(t, r);
}

/* ---------------------------------------------------------------- together */

static lg_status predict(void *context, int argc, const char *const *argv)
{
    const triplet *t = context;
    return embedder_predict(&about, &t->options.shared, argc, argv);
}

static void release(void *context)
{
    triplet *t = context;
    triplet_model_free(&t->model);
    trainer_data_free(&t->data);
}

int main(int argc, char **argv)
{
    static const trainer_steps steps = { prepare, train, predict, release };
    triplet t = { .options = { .shared = { .epochs = 20,
                                           .batch_size = 64, /* of a batch there are as many rows as the options say */
                                           .optimizer = "adam",
                                           .learning_rate = 0.0001,
                                           .seed = 42,
                                           .early_stopping = 3,
                                           .validation_split = 0.2,
                                           .test_split = 0.3,
                                           .verbose = LG_PROGRESS },
                               .embedder = EMBEDDER_DEFAULTS,
                               .triplet = TRIPLET_DEFAULTS } };
    t.options.embedder.normalize = true;
    trainer_parse(&about, &t.options, argc, argv);
    return trainer_main(&about, &t.options.shared, &steps, &t, argc, argv);
}
