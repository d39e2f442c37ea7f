#include "faces_gallery.h"
#include "gallery.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_FILES 4096

enum { KEY_GALLERY = 256, KEY_THRESHOLD, KEY_DROP };

typedef struct gallery_options {
    const char *path;
    const char *drop[TRAINER_MOST_DROPPED + 1];
    double threshold; /* NaN: the gallery's own */
    char *words[MOST_FILES + 2]; /* the command, a name, files */
    size_t count;
} gallery_options;

static const struct argp_option gallery_option_rows[] = {
    { "gallery", KEY_GALLERY, "FILE", 0, "The gallery (default: runs/faces/" FACES_GALLERY ")", 0 },
    { "threshold", KEY_THRESHOLD, "DISTANCE", 0, "identify: the distance beyond which somebody is Unknown (default: the "
      "gallery's, which faces train has chosen)", 0 },
    { "drop", KEY_DROP, "COLUMN,...", 0, "Columns of a CSV file to leave out, such as a label, where they have no names", 0 },
    { 0 },
};

/* How many words each command takes, itself included. */
static const struct command {
    const char *name;
    size_t least, most;
} commands[] = { { "register", 3, MOST_FILES + 2 },
                 { "identify", 2, MOST_FILES + 1 },
                 { "list", 1, 1 },
                 { "forget", 2, 2 } };

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

static lg_dataset *read_file(const gallery_options *options, const char *path, const lg_dataset *like)
{
    return lg_dataset_read(path, &(lg_read_options){ .csv = { .drop = options->drop[0] ? options->drop : NULL,
                                                              .like = like },
                                                     .unit_bytes = true,
                                                     .flatten = true });
}

/* Columns without names of their own have numbers for names. */
static bool has_names(const lg_dataset *rows)
{
    const char *name = lg_dataset_feature_name(rows, 0);
    return name && name[strspn(name, "0123456789")] != '\0';
}

/* A table that has names for its columns is read by those of the network's; what has none, as it is. */
static lg_dataset *read_columns(gallery *g, const gallery_options *options, const char *path)
{
    const lg_dataset *like = loaded_like(&g->model, false);
    lg_dataset *rows = like ? read_file(options, path, like) : NULL;
    if (rows || !like || lg_error_code() == LG_E_IO || lg_error_code() == LG_E_MEMORY)
        return rows;
    char first[1024];
    const lg_status status = lg_error_code();
    snprintf(first, sizeof first, "%s", lg_error());
    rows = read_file(options, path, NULL);
    if (rows && has_names(rows) && has_names(like)) {
        lg_dataset_free(rows);
        lg_fail(status, "%s", first);
        return NULL;
    }
    return rows;
}

/* Rows of a file as the network takes them; an array that is one picture as a whole is one row. */
static lg_status read_pictures(gallery *g, const gallery_options *options, const char *path, lg_dataset **rows,
                               size_t *count)
{
    *rows = read_columns(g, options, path);
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

int faces_gallery(int argc, char **argv)
{
    static const struct argp all = {
        .options = gallery_option_rows,
        .parser = parse_gallery,
        .args_doc = "train [OPTION...]\nregister NAME FILE...\nidentify FILE...\nlist\nforget NAME",
        .doc = "Says who somebody is, or that it does not know: trains a network on pictures of people, registers people, "
               "and identifies them.\vFILEs are pictures as IDX, NPY or CSV, also in gzip, one row each; columns "
               "are found by their names, where they have some. identify prints a line for each: file,row,name,distance,nearest, where the name is Unknown beyond the threshold.\n\n"
               "faces train --help tells about training.\n\n"
               "Examples:\n"
               "  faces train\n"
               "  faces register seven seven.csv\n"
               "  faces identify who.npy",
    };
    static gallery_options options = { .path = "runs/faces/" FACES_GALLERY, .threshold = NAN }; /* its texts live on */
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
