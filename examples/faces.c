/* Faces: learns what makes pictures of one person alike, registers people, and says who somebody is, or that it does not
 * know. The pictures can be of anything: by default they are handwritten digits of 8 x 8 pixels.
 *
 *     build/faces train                                       the network and an empty gallery, in runs/faces/
 *     build/faces register seven seven-1.csv seven-2.npy      somebody's pictures
 *     build/faces identify who.npy                            the nearest of all registered, or Unknown
 *     build/faces list
 *     build/faces forget seven
 *
 * The network learns from triplets (triplets.c) on some people, the threshold beyond which nobody is recognised is chosen on
 * others, and a third group, never seen before, says what it is worth (openset.c). The gallery is one file (gallery.c). */
#include "gallery.h"
#include "openset.h"
#include "triplets.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GALLERY "gallery.safetensors"
#define STREAM_PROBES (TRAINER_OWN + 70)

/* ------------------------------------------------------------ faces train */

typedef struct train_options {
    trainer_options shared; /* first: the shared parser knows no other */
    embedder_options embedder;
    triplet_options triplet;
    size_t shots;
} train_options;

enum { KEY_SHOTS = 256, KEY_GALLERY, KEY_THRESHOLD, KEY_DROP };

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
    train_options *options = state->input;
    if (key == KEY_SHOTS) {
        options->shots = argument_count(state, "--shots", arg, 1, 1000000);
        return 0;
    }
    if (key == EMBEDDER_KEY_TEXTBOOK)
        options->triplet.mining = LG_MINE_RANDOM;
    const error_t known = triplet_parse(key, arg, state, &options->triplet);
    return known == ARGP_ERR_UNKNOWN ? embedder_parse(key, arg, state, &options->embedder, &options->shared) : known;
}

static const char *const without[] = { EMBEDDER_WITHOUT, TRIPLET_WITHOUT, NULL };

static const trainer about = {
    .name = "faces",
    .summary = "faces train: trains the network of faces, chooses the threshold beyond which nobody is recognised, and "
               "leaves an empty gallery. Without --data it trains on 1,797 handwritten digits.",
    .examples = "Examples:\n"
                "  faces train --false-accepts 0.05\n"
                "  faces train --data faces.npy --labels people.npy --hidden 256 --embedding 64",
    .without = without,
    .options = own_options,
    .parser = parse_own,
};

/* The nearest pictures of one part, one line each. The loss is that of the triplet which they make with the picture. */
static void write_probes(FILE *stream, const char *part, const probes *p, const trainer_data *data,
                         const triplet_options *o)
{
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    for (size_t i = 0; i < p->count; i++) {
        const double own = (double)p->own[i], other = (double)p->other[i];
        const double difference = o->distance ? own - other : own * own - other * other;
        fprintf(stream, "%s,%d,\"%s\",\"%s\",%.*g,%.*g,%.*g\n", part, (int)p->row[i],
                lg_dataset_class_name(data->all, (size_t)p->label[i]),
                lg_dataset_class_name(data->all, (size_t)p->nearest[i]), digits, own, digits, other, digits,
                fmax(0, difference + o->margin));
    }
}

static lg_status write_predictions(run *r, const probes part[2], const trainer_data *data, const triplet_options *o)
{
    run_file file;
    lg_status status = run_file_begin(&file, r, "predictions.csv");
    if (status != LG_OK)
        return status;
    fputs("part,row,identity,nearest,distance_own,distance_other,loss\n", file.stream);
    write_probes(file.stream, "validation", &part[0], data, o);
    write_probes(file.stream, "test", &part[1], data, o);
    return run_file_end(&file);
}

static void report(run *r, const probes part[2], double threshold, double false_accepts)
{
    static const char *const names[] = { "validation", "test" };
    openset_rates rates[2];
    char path[128];
    run_note_number(r, "metrics.threshold", threshold);
    for (size_t k = 0; k < 2; k++) {
        rates[k] = probes_rate(&part[k], threshold);
        const struct {
            const char *name;
            double value;
        } numbers[] = { { "rank_1_accuracy", rates[k].rank_1 }, { "identified", rates[k].identified },
                        { "misidentified", rates[k].misidentified }, { "false_rejects", rates[k].false_rejects },
                        { "false_accepts", rates[k].false_accepts } };
        for (size_t i = 0; i < 5; i++) {
            snprintf(path, sizeof path, "metrics.%s.%s", names[k], numbers[i].name);
            run_note_number(r, path, numbers[i].value);
        }
        snprintf(path, sizeof path, "metrics.%s.probes", names[k]);
        run_note_count(r, path, part[k].count);
    }
    printf("\nIdentities that the network has never seen; the threshold, %.4g, lets %.3g%% of the strangers of the "
           "validation part pass\n\n%-26s %10s %10s\n", threshold, 100 * false_accepts, "", names[0], names[1]);
    printf("%-26s %10zu %10zu\n", "identities", part[0].identities, part[1].identities);
    printf("%-26s %10zu %10zu\n", "pictures registered", part[0].registered, part[1].registered);
    printf("%-26s %10zu %10zu\n", "pictures shown", part[0].count, part[1].count);
    printf("%-26s %10.4f %10.4f\n", "rank-1 accuracy", rates[0].rank_1, rates[1].rank_1);
    printf("%-26s %10.4f %10.4f\n", "identified", rates[0].identified, rates[1].identified);
    printf("%-26s %10.4f %10.4f\n", "taken for another", rates[0].misidentified, rates[1].misidentified);
    printf("%-26s %10.4f %10.4f\n", "false rejects", rates[0].false_rejects, rates[1].false_rejects);
    printf("%-26s %10.4f %10.4f\n\n", "false accepts (strangers)", rates[0].false_accepts, rates[1].false_accepts);
}

/* The gallery of the new network, with nobody in it. */
static lg_status leave_gallery(run *r, triplet_model *m, double threshold, double false_accepts)
{
    gallery g = { .net = m->net, .threshold = threshold, .false_accepts = false_accepts };
    const char *path = run_path(r, GALLERY);
    lg_status status = path ? gallery_save(&g, path) : lg_error_code();
    if (status == LG_OK)
        run_note_file(r, GALLERY);
    return status;
}

static lg_status judge(triplet_model *m, const train_options *options, const trainer_data *data, run *r)
{
    const lg_split *split = data->split;
    const lg_rng rng = trainer_rng(&options->shared, STREAM_PROBES);
    probes part[2] = { 0 };
    double threshold = 0;
    lg_tensor *vectors = embedder_rows(&m->net, data->all);
    lg_status status = vectors ? LG_OK : lg_error_code();
    if (status == LG_OK)
        status = probes_new(&part[0], data, vectors, m->net.width, split->validation, split->validation_rows,
                            options->shots, lg_rng_split(&rng, 1));
    if (status == LG_OK)
        status = probes_new(&part[1], data, vectors, m->net.width, split->test, split->test_rows, options->shots,
                            lg_rng_split(&rng, 2));
    if (status == LG_OK)
        status = probes_threshold(&part[0], options->embedder.false_accepts, &threshold);
    if (status == LG_OK) {
        report(r, part, threshold, options->embedder.false_accepts);
        status = write_predictions(r, part, data, &options->triplet);
    }
    if (status == LG_OK)
        status = leave_gallery(r, m, threshold, options->embedder.false_accepts);
    probes_free(&part[0]);
    probes_free(&part[1]);
    lg_tensor_free(vectors);
    return status;
}

static lg_status train(triplet_model *m, const train_options *options, const trainer_data *data, run *r,
                       lg_history **history)
{
    embedder_note(r, &options->embedder);
    triplet_note(r, &options->triplet);
    run_note_count(r, "arguments.shots", options->shots);
    trainer_note_data(r, &options->shared, data);
    lg_status status = triplet_fit(m, r, history, "Faces: loss");
    return status == LG_OK && !lg_history_signal(*history) ? judge(m, options, data, r) : status;
}

static int run_train(int argc, char **argv)
{
    static train_options options = { .shared = { .epochs = 20,
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
                                     .shots = 5 };
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

/* ------------------------------------------------------------- the gallery */

#define MOST_FILES 4096

typedef struct gallery_options {
    const char *path;
    const char *drop[TRAINER_MOST_DROPPED + 1];
    double threshold; /* NaN: the gallery's own */
    char *words[MOST_FILES + 2]; /* the command, a name, files */
    size_t count;
} gallery_options;

static const struct argp_option gallery_option_rows[] = {
    { "gallery", KEY_GALLERY, "FILE", 0, "The gallery (default: runs/faces/" GALLERY ")", 0 },
    { "threshold", KEY_THRESHOLD, "DISTANCE", 0, "identify: the distance beyond which somebody is Unknown (default: the "
      "gallery's, which faces train has chosen)", 0 },
    { "drop", KEY_DROP, "COLUMN,...", 0, "Columns of a CSV file to leave out, such as a label", 0 },
    { 0 },
};

/* How many words each command takes, itself included. */
static const struct command {
    const char *name;
    size_t least, most;
} commands[] = { { "register", 3, MOST_FILES + 2 }, { "identify", 2, MOST_FILES + 1 }, { "list", 1, 1 }, { "forget", 2, 2 } };

static void check_words(const gallery_options *options, struct argp_state *state)
{
    const char *word = options->count ? options->words[0] : "";
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(word, commands[i].name) == 0) {
            if (options->count < commands[i].least || options->count > commands[i].most)
                argp_error(state, "%s: %s", word, options->count < commands[i].least
                                                      ? (i == 0 ? "a name and files are wanted"
                                                                : i == 1 ? "files are wanted" : "a name is wanted")
                                                      : "that is more than it takes");
            return;
        }
    argp_error(state, *word ? "\"%.60s\" is no command: train, register, identify, list or forget" : "a command is wanted: "
                      "train, register, identify, list or forget", word);
}

static error_t parse_gallery(int key, char *arg, struct argp_state *state)
{
    gallery_options *options = state->input;
    switch (key) {
    case KEY_GALLERY: options->path = arg; break;
    case KEY_THRESHOLD:
        options->threshold = argument_real(state, "--threshold", arg, (argument_range){ 0, INFINITY, false, true });
        break;
    case KEY_DROP: argument_names(state, "--drop", arg, TRAINER_MOST_DROPPED, options->drop); break;
    case ARGP_KEY_ARG:
        if (options->count == MOST_FILES + 2)
            argp_error(state, "more than %d files", MOST_FILES);
        options->words[options->count++] = arg;
        break;
    case ARGP_KEY_END: check_words(options, state); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* Rows of a file as the network takes them; an array that is one picture as a whole is one row. */
static lg_status read_pictures(const gallery *g, const gallery_options *options, const char *path, lg_dataset **rows,
                               size_t *count)
{
    *rows = lg_dataset_read(path, &(lg_read_options){ .csv.drop = options->drop[0] ? options->drop : NULL,
                                                      .unit_bytes = true,
                                                      .flatten = true });
    if (!*rows)
        return lg_error_code();
    const size_t width = lg_dataset_features(*rows), inputs = g->net.inputs;
    *count = lg_dataset_rows(*rows);
    if (width != inputs && *count <= inputs && width * *count == inputs)
        *count = 1;
    else if (width != inputs)
        return lg_fail(LG_E_SHAPE, "%s: pictures of %zu numbers, but the network takes %zu%s", path, width, inputs,
                       width == inputs + 1 ? "; is one column a label, for --drop?" : "");
    return LG_OK;
}

static lg_status register_files(gallery *g, const gallery_options *options)
{
    const char *name = options->words[1];
    size_t pictures = 0;
    lg_status status = LG_OK;
    for (size_t i = 2; i < options->count && status == LG_OK; i++) {
        lg_dataset *rows = NULL;
        size_t count = 0;
        status = read_pictures(g, options, options->words[i], &rows, &count);
        if (status == LG_OK)
            status = gallery_register(g, name, count, lg_dataset_values(rows, "x"));
        pictures += count;
        lg_dataset_free(rows);
    }
    if (status == LG_OK)
        status = gallery_save(g, options->path);
    if (status == LG_OK)
        printf("%s: %zu pictures more\n", name, pictures);
    return status;
}

static lg_status identify_file(gallery *g, const gallery_options *options, const char *path, double threshold)
{
    lg_dataset *rows = NULL;
    size_t count = 0;
    lg_status status = read_pictures(g, options, path, &rows, &count);
    lg_tensor *vectors = status == LG_OK ? gallery_embed(g, count, lg_dataset_values(rows, "x")) : NULL;
    if (status == LG_OK && !vectors)
        status = lg_error_code();
    for (size_t i = 0; i < count && status == LG_OK; i++) {
        double distance;
        const size_t nearest = gallery_nearest(g, lg_tensor_data(vectors) + i * g->net.width, &distance);
        const char *name = nearest < g->pictures ? g->names[g->person[nearest]] : "";
        printf("%s,%zu,%s,%.6g,%s\n", path, i, distance <= threshold ? name : "Unknown", distance, name);
    }
    lg_tensor_free(vectors);
    lg_dataset_free(rows);
    return status;
}

static lg_status identify_files(gallery *g, const gallery_options *options)
{
    const double threshold = isnan(options->threshold) ? g->threshold : options->threshold;
    lg_status status = LG_OK;
    printf("file,row,name,distance,nearest\n");
    for (size_t i = 1; i < options->count && status == LG_OK; i++)
        status = identify_file(g, options, options->words[i], threshold);
    return status;
}

static lg_status list_people(const gallery *g)
{
    printf("name,pictures\n");
    for (size_t i = 0; i < g->people; i++) {
        size_t pictures = 0;
        for (size_t k = 0; k < g->pictures; k++)
            pictures += (size_t)g->person[k] == i;
        printf("%s,%zu\n", g->names[i], pictures);
    }
    return LG_OK;
}

static lg_status forget(gallery *g, const gallery_options *options)
{
    lg_status status = gallery_forget(g, options->words[1]);
    if (status == LG_OK)
        status = gallery_save(g, options->path);
    if (status == LG_OK)
        printf("%s: forgotten\n", options->words[1]);
    return status;
}

static int run_gallery(int argc, char **argv)
{
    static const struct argp all = {
        .options = gallery_option_rows,
        .parser = parse_gallery,
        .args_doc = "train [OPTION...]\nregister NAME FILE...\nidentify FILE...\nlist\nforget NAME",
        .doc = "Says who somebody is, or that it does not know: trains a network on pictures of people, registers people, and "
               "identifies them.\vFILEs are pictures as IDX, NPY or CSV, also in gzip, one row each. identify prints a line "
               "for each: file,row,name,distance,nearest, where the name is Unknown beyond the threshold.\n\n"
               "faces train --help tells about training.\n\n"
               "Examples:\n"
               "  faces train\n"
               "  faces register seven seven.csv\n"
               "  faces identify who.npy",
    };
    static gallery_options options = { .path = "runs/faces/" GALLERY, .threshold = NAN }; /* its texts live on */
    program_begin();
    argv[0] = program_invocation_short_name;
    if (argp_parse(&all, argc, argv, 0, NULL, &options) != 0)
        return EXIT_FAILURE;
    const char *command = options.words[0];
    const bool changes = strcmp(command, "register") == 0 || strcmp(command, "forget") == 0;
    gallery g = { 0 };
    const int lock = changes ? gallery_lock(options.path) : -1;
    lg_status status = changes && lock < 0 ? lg_error_code() : gallery_open(&g, options.path);
    if (status == LG_OK)
        status = strcmp(command, "register") == 0   ? register_files(&g, &options)
                 : strcmp(command, "identify") == 0 ? identify_files(&g, &options)
                 : strcmp(command, "list") == 0     ? list_people(&g)
                                                    : forget(&g, &options);
    gallery_free(&g);
    if (lock >= 0)
        close(lock);
    return trainer_end(status, 0);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "train") != 0)
        return run_gallery(argc, argv);
    static char name[] = "faces train";
    argv[1] = name;
    return run_train(argc - 1, argv + 1);
}
