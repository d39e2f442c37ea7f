#include "vae_options.h"

#include <math.h>

enum { TEXTBOOK_HIDDEN = 400, TEXTBOOK_LATENT = 32 };
enum { KEY_LATENT = 256, KEY_HIDDEN, KEY_BETA, KEY_BETA_WARMUP, KEY_SAMPLES, KEY_SHAPE, KEY_SCORE, KEY_TEXTBOOK };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The autoencoder:", 1 },
    { "latent", KEY_LATENT, "N", 0, "Numbers that a row is written down in (default: 8)", 1 },
    { "hidden", KEY_HIDDEN, "N,...", 0, "Widths of the encoder's hidden layers; the decoder has them the other way round "
      "(default: 128)", 1 },
    { "beta", KEY_BETA, "BETA", 0, "Weight of the KL divergence (default: 1, the evidence lower bound; with --load the "
      "model's)", 1 },
    { "beta-warmup", KEY_BETA_WARMUP, "N", 0, "Let beta rise from 0 over the first N epochs (default: 0)", 1 },
    { "samples", KEY_SAMPLES, "N", 0, "Codes drawn for each row when rows are scored (default: 16)", 1 },
    { "shape", KEY_SHAPE, "HEIGHT,WIDTH", 0, "Of the picture in each row of a table (default: square, if that comes out "
      "even)", 1 },
    { "score", KEY_SCORE, "FILE", 0, "After training, write to scores.csv what --predict says of these rows, and how well "
      "that tells them from the rows of the validation part. With --load and without --data the same as --predict", 1 },
    { "textbook", KEY_TEXTBOOK, 0, 0, "The network for pictures of 28 x 28, 784-400-32, with beta 1, 20 epochs in batches "
      "of 128, Adam at 0.001; options after it change it", 1 },
    { 0 },
};

static void take_textbook(vae_options *options)
{
    options->textbook = true;
    options->model.hidden = (hidden_layers){ { TEXTBOOK_HIDDEN }, 1 };
    options->model.latent = TEXTBOOK_LATENT;
    options->model.beta = 1;
    options->model.beta_warmup = 0;
    options->shared.epochs = 20;
    options->shared.batch_size = 128;
    options->shared.optimizer = "adam";
    options->shared.learning_rate = 0.001;
}

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    vae_options *options = state->input;
    size_t shape[2];
    switch (key) {
    case KEY_LATENT: options->model.latent = argument_count(state, "--latent", arg, 1, 65536); break;
    case KEY_HIDDEN: options->model.hidden = hidden_argument(state, arg); break;
    case KEY_BETA:
        options->model.beta = argument_real(state, "--beta", arg, (argument_range){ 0, INFINITY, false, true });
        break;
    case KEY_BETA_WARMUP: options->model.beta_warmup = argument_count(state, "--beta-warmup", arg, 0, 1000000); break;
    case KEY_SAMPLES: options->model.samples = argument_count(state, "--samples", arg, 1, 10000); break;
    case KEY_SHAPE:
        if (argument_counts(state, "--shape", arg, 1, 16384, 2, shape) != 2)
            argp_error(state, "--shape: two numbers are wanted, height and width, as in 28,28");
        options->height = shape[0];
        options->width = shape[1];
        break;
    case KEY_SCORE: options->score = arg; break;
    case KEY_TEXTBOOK: take_textbook(options); break;
    case ARGP_KEY_NO_ARGS: /* comes before the shared options are checked */
        if (options->score && options->shared.load && !options->shared.data && !options->shared.predict) {
            options->shared.predict = options->score;
            options->score = NULL;
        }
        break;
    case ARGP_KEY_END:
        if (options->score && options->shared.predict)
            argp_error(state, "--predict and --score: only one of them, to predict by a model alone");
        if (options->shared.target && !options->shared.data && !options->shared.predict)
            argp_error(state, "--target needs --data");
        if (options->textbook && !options->shared.data)
            argp_error(state, "--textbook needs --data: pictures of 28 x 28, such as those of MNIST or Fashion-MNIST");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const trainer vae_about = {
    .name = "vae",
    .summary = "Trains a variational autoencoder: pictures, or any rows of numbers in a range, are written down in a few "
               "numbers, and drawn from such numbers again. Without --data it trains on 1797 handwritten digits. A "
               "--target is not learned: it is left out of the rows, and keeps the parts alike.",
    .examples = "--predict writes row,negative_elbo,reconstruction,kl,excess: the negative evidence lower bound of each row "
                "in nats, its two parts, and how far it exceeds the entropy of the row's own values. The higher, the less a "
                "row is like those of the training.\n\n"
                "Examples:\n"
                "  vae --latent 2 --beta 0.5\n"
                "  vae --data train-images-idx3-ubyte.gz --textbook\n"
                "  vae --data data/digits.csv.gz --target -1 --score new.csv\n"
                "  vae --load runs/vae --predict new.csv\n"
                "  vae --load runs/vae --data more.csv --lr 0.001",
    .kind = "variational autoencoder",
    .of_model = (const char *const[]){ "latent", "hidden", "textbook", NULL },
    .for_predict = (const char *const[]){ "samples", "score", "seed", NULL },
    .options = own_options,
    .parser = parse_own,
};

vae_options vae_parse(int argc, char **argv)
{
    vae_options options = { .shared = { .epochs = 100,
                                        .batch_size = 64,
                                        .optimizer = "adam",
                                        .learning_rate = 0.003,
                                        .seed = 42,
                                        .validation_split = 0.2,
                                        .verbose = LG_PROGRESS },
                            .model = { .latent = 8, .hidden = { { 128 }, 1 }, .beta = NAN, .samples = 16 } };
    trainer_parse(&vae_about, &options, argc, argv);
    if (isnan(options.model.beta) && !options.shared.load)
        options.model.beta = 1;
    return options;
}

void vae_note(run *r, const vae_options *options)
{
    run_note_count(r, "arguments.latent", options->model.latent);
    run_note_counts(r, "arguments.hidden", options->model.hidden.count, options->model.hidden.width);
    run_note_number(r, "arguments.beta", options->model.beta);
    run_note_count(r, "arguments.beta_warmup", options->model.beta_warmup);
    run_note_count(r, "arguments.samples", options->model.samples);
    run_note_text(r, "arguments.score", options->score);
}
