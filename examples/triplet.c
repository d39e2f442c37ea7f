/* The triplet network: embeds rows so that those of one class are nearer to each other than to any others.
 *
 *     build/triplet                                           handwritten digits of 8 x 8 pixels
 *     build/triplet --mining random --distance plain          other triplets, another distance
 *     build/triplet --data omniglot-images-idx3-ubyte.gz --labels omniglot-labels-idx1-ubyte.gz --hidden 256 --embedding 64
 *
 * How it learns is in triplets.c: batches hold a few rows of a few classes, and of all triplets in a batch those are taken
 * that teach something. How it is judged, on classes that it has never seen, is in pairs.c. */
#include "pairs.h"
#include "triplets.h"

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

static const char *const without[] = { EMBEDDER_WITHOUT, TRIPLET_WITHOUT, NULL };

static const trainer about = {
    .name = "triplet",
    .summary = "Trains a network on triplets: an anchor shall be nearer to a row of its class than to one of another. It is "
               "judged on classes that it has never seen. Without --data it trains on 1,797 handwritten digits.",
    .examples = "Examples:\n"
                "  triplet --mining random --margin 0.5\n"
                "  triplet --data data/digits.csv.gz --target -1 --textbook\n"
                "  triplet --data images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --hidden 256 --embedding 64",
    .without = without,
    .options = own_options,
    .parser = parse_own,
};

/* ---------------------------------------------------------------- training */

static lg_status judge(triplet_model *m, const options_of_all *options, const trainer_data *data, run *r)
{
    pairs p;
    lg_status status = pairs_new(&p, &m->net, data, &options->shared, options->embedder.pairs);
    if (status == LG_OK)
        status = pairs_report(r, &p, &options->embedder, data);
    if (status == LG_OK)
        status = triplets_write(r, m, data, p.embeddings, options->embedder.pairs);
    if (status == LG_OK)
        status = pairs_write(r, &p, "pairs.csv", 1);
    if (status == LG_OK)
        status = pairs_draw_embedding(r, &p, data, "Triplet network: classes that it has never seen");
    pairs_free(&p);
    return status;
}

static lg_status train(triplet_model *m, const options_of_all *options, const trainer_data *data, run *r,
                       lg_history **history)
{
    embedder_note(r, &options->embedder);
    triplet_note(r, &options->triplet);
    trainer_note_data(r, &options->shared, data);
    lg_status status = triplet_fit(m, r, history, "Triplet network: loss");
    return status == LG_OK && !lg_history_signal(*history) ? judge(m, options, data, r) : status;
}

int main(int argc, char **argv)
{
    options_of_all options = { .shared = { .epochs = 20,
                                           .batch_size = 64, /* of a batch there are as many rows as the options say */
                                           .optimizer = "adam",
                                           .learning_rate = 0.0001,
                                           .seed = 42, .early_stopping = 3,
                                           .validation_split = 0.2,
                                           .test_split = 0.3,
                                           .verbose = LG_PROGRESS },
                               .embedder = EMBEDDER_DEFAULTS,
                               .triplet = TRIPLET_DEFAULTS };
    options.embedder.normalize = true;
    trainer_parse(&about, &options, argc, argv);
    triplet_model m = { 0 };
    trainer_data data = { 0 };
    run *r = NULL;
    lg_history *history = NULL;
    lg_status status = run_check(options.shared.out, options.shared.overwrite);
    if (status == LG_OK)
        status = embedder_read(&data, &options.shared, &options.embedder);
    if (status == LG_OK)
        status = triplet_model_new(&m, &options.shared, &options.embedder, &options.triplet, &data);
    if (status == LG_OK)
        status = embedder_print_data(&options.shared, &data);
    if (status == LG_OK)
        status = lg_sequential_summary(m.net.net, stdout);
    if (status == LG_OK && !options.shared.dry_run) {
        r = trainer_open(&about, &options.shared, argc, (const char *const *)argv);
        status = r ? train(&m, &options, &data, r, &history) : lg_error_code();
        status = trainer_close(r, history, status);
    }
    const int signal_number = lg_history_signal(history);
    lg_history_free(history);
    run_free(r);
    triplet_model_free(&m);
    trainer_data_free(&data);
    return trainer_end(status, signal_number);
}
