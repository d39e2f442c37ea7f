/* Faces: learns what makes pictures of one person alike, registers people, and says who somebody is, or that it does
 * not know. The pictures can be of anything: by default they are handwritten digits of 8 x 8 pixels.
 *
 *     build/faces train                                       the network and an empty gallery, in runs/faces/
 *     build/faces register seven seven-1.csv seven-2.npy      somebody's pictures
 *     build/faces identify who.npy                            the nearest of all registered, or Unknown
 *     build/faces list
 *     build/faces forget seven
 *
 * The network learns from triplets (triplets.c) on some people, the threshold beyond which nobody is recognised is
 * chosen on others, and a third group, never seen before, says what it is worth (openset.c). The gallery is one file
 * (gallery.c), and what is done with it is in faces_gallery.c. */
#include "embedder_steps.h"
#include "faces_gallery.h"
#include "gallery.h"
#include "openset_report.h"
#include "trainer_steps.h"

#include <math.h>
#include <string.h>

#define STREAM_PROBES (TRAINER_OWN + 70)

/* ------------------------------------------------------------ command line */

typedef struct faces_options {
    trainer_options shared; /* first: the shared parser knows no other */
    embedder_options embedder;
    triplet_options triplet;
    size_t shots;
} faces_options;

enum { KEY_SHOTS = 256 };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The network:", 1 },
    EMBEDDER_OPTION_ROWS,
    { "normalize", EMBEDDER_KEY_NORMALIZE, "no|yes", 0, "Scale vectors to length 1 (default: yes)", 1 },
    TRIPLET_OPTION_ROWS,
    { "shots", KEY_SHOTS, "N", 0, "Pictures of each identity that are registered when it is judged (default: 5)", 1 },
    { "textbook", EMBEDDER_KEY_TEXTBOOK, 0, 0, "A network of 512 and 128 with tanh after both, random triplets "
      "of margin 0.2, SGD at 0.01; options after it change it", 1 },
    { 0 },
};

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    faces_options *options = state->input;
    if (key == KEY_SHOTS) {
        options->shots = argument_count(state, "--shots", arg, 1, 1000000);
        return 0;
    }
    if (key == EMBEDDER_KEY_TEXTBOOK)
        options->triplet.mining = LG_MINE_RANDOM;
    const error_t known = triplet_parse(key, arg, state, &options->triplet);
    return known == ARGP_ERR_UNKNOWN ? embedder_parse(key, arg, state, &options->embedder, &options->shared) : known;
}

static const trainer about = {
    .name = "faces",
    .summary = "faces train: trains the network of faces, chooses the threshold beyond which nobody is recognised, and "
               "leaves an empty gallery. Without --data it trains on 1,797 handwritten digits.",
    .examples = "Examples:\n"
                "  faces train --false-accepts 0.05\n"
                "  faces train --data faces.npy --labels people.npy --hidden 256 --embedding 64\n"
                "  faces train --load runs/triplet --data more.npy --labels people.npy",
    .without = (const char *const[]){ EMBEDDER_WITHOUT, TRIPLET_WITHOUT, "predict", NULL },
    .kind = EMBEDDER_KIND,
    .of_model = (const char *const[]){ EMBEDDER_OF_MODEL, NULL },
    .options = own_options,
    .parser = parse_own,
};

/* ---------------------------------------------------------------- training */

typedef struct faces {
    faces_options options;
    trainer_data data;
    triplet_model model;
} faces;

/* Pictures, their identities shared out into three parts; the network; and batches to begin with. */
static lg_status prepare(void *context)
{
    faces *f = context;
    return triplet_model_new(&f->model, &f->data, &about, &f->options.shared, &f->options.embedder, &f->options.triplet);
}

/* The network, and a gallery with it and nobody in it. */
static lg_status leave_files(faces *f, run *r, double threshold)
{
    gallery g = { .net = f->model.net, .threshold = threshold, .false_accepts = f->options.embedder.false_accepts };
    lg_status status = embedder_leave(r, &g.net, &f->data, threshold);
    if (status == LG_OK)
        status = loaded_open(&g.model, &about, &(trainer_options){ .load = run_folder(r) });
    const char *path = status == LG_OK ? run_path(r, FACES_GALLERY) : NULL;
    if (status == LG_OK)
        status = path ? gallery_save(&g, path) : lg_error_code();
    if (status == LG_OK)
        run_note_file(r, FACES_GALLERY);
    loaded_close(&g.model);
    return status;
}

/* Identities of the validation part choose the threshold; those of the test part say what it is worth. */
static lg_status judge(faces *f, run *r)
{
    const faces_options *options = &f->options;
    const lg_split *split = f->data.split;
    const lg_rng rng = trainer_rng(&options->shared, STREAM_PROBES);
    const double false_accepts = options->embedder.false_accepts;
    const size_t width = f->model.net.width;
    probes part[2] = { 0 };
    double threshold = 0;
    lg_tensor *vectors = embedder_rows(&f->model.net, f->data.all); /* [rows, width] */
    lg_status status = vectors ? LG_OK : lg_error_code();
    if (status == LG_OK)
        status = probes_new(&part[0], &f->data, vectors, width, split->validation, split->validation_rows, options->shots,
                            lg_rng_split(&rng, 1));
    if (status == LG_OK)
        status = probes_new(&part[1], &f->data, vectors, width, split->test, split->test_rows, options->shots,
                            lg_rng_split(&rng, 2));
    if (status == LG_OK)
        status = probes_threshold(&part[0], false_accepts, &threshold);
    if (status == LG_OK) {
        openset_report(r, part, threshold, false_accepts);
        status = openset_write(r, part, &f->data, &options->triplet);
    }
    if (status == LG_OK)
        status = leave_files(f, r, threshold);
    probes_free(&part[0]);
    probes_free(&part[1]);
    lg_tensor_free(vectors);
    return status;
}

static lg_status train(void *context, run *r, lg_history **history)
{
    faces *f = context;
    embedder_options_note(r, &f->options.embedder);
    embedder_note(r, &f->model.net);
    triplet_note(r, &f->options.triplet);
    run_note_count(r, "arguments.shots", f->options.shots);
    trainer_note_data(r, &f->options.shared, &f->data);
    lg_status status = triplet_fit(&f->model, r, history, "Faces: loss");
    if (status != LG_OK)
        return status;
    return lg_history_signal(*history) ? embedder_leave(r, &f->model.net, &f->data, NAN) : judge(f, r);
}

/* ---------------------------------------------------------------- together */

static void release(void *context)
{
    faces *f = context;
    triplet_model_free(&f->model);
    trainer_data_free(&f->data);
}

static int faces_train(int argc, char **argv)
{
    static const trainer_steps steps = { prepare, train, NULL, release };
    static faces f = { .options = { .shared = { .epochs = 20,
                                                .batch_size = 64, /* of a batch there are as many rows as the options say */
                                                .optimizer = "adam",
                                                .learning_rate = 0.0001,
                                                .seed = 42,
                                                .early_stopping = 3,
                                                .validation_split = 0.2,
                                                .test_split = 0.3,
                                                .verbose = LG_PROGRESS },
                                    .embedder = EMBEDDER_DEFAULTS,
                                    .triplet = TRIPLET_DEFAULTS,
                                    .shots = 5 } };
    f.options.embedder.normalize = true;
    trainer_parse(&about, &f.options, argc, argv);
    return trainer_main(&about, &f.options.shared, &steps, &f, argc, argv);
}

int main(int argc, char **argv)
{
    static char name[] = "faces train";
    if (argc < 2 || strcmp(argv[1], "train") != 0)
        return faces_gallery(argc, argv);
    argv[1] = name;
    return faces_train(argc - 1, argv + 1);
}
