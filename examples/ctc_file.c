#include "ctc_file.h"
#include "model_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HEIGHT = 16384, MOST_COLUMNS = 1 << 20 };

static char *characters_text(const alphabet *a)
{
    json_t *list = json_array();
    bool whole = list != NULL;
    for (size_t k = 1; k < a->classes && whole; k++)
        whole = json_array_append_new(list, json_string(a->symbol[k])) == 0;
    char *text = whole ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    if (!text)
        lg_fail(LG_E_MEMORY, "out of memory for %zu characters", a->classes - 1);
    return text;
}

lg_status ctc_file_save(run *r, const lg_params *params, const ctc_lines *lines, const hidden_layers *hidden)
{
    char layers[HIDDEN_TEXT], height[24], window[24], stride[24], *characters = characters_text(&lines->alphabet);
    if (!characters)
        return lg_error_code();
    hidden_text(hidden, lines->frames.window * lines->height, lines->alphabet.classes, layers);
    snprintf(height, sizeof height, "%zu", lines->height);
    snprintf(window, sizeof window, "%zu", lines->frames.window);
    snprintf(stride, sizeof stride, "%zu", lines->frames.stride);
    const lg_metadata texts[] = { { "layers", layers }, { "hidden_activation", "tanh" }, { "output", "logits of frames" },
                                  { "height", height }, { "window", window }, { "stride", stride },
                                  { "characters", characters } };
    lg_status status = model_save_with(r, ctc_about.kind, params, NULL, NULL, 0, texts, sizeof texts / sizeof *texts);
    free(characters);
    return status;
}

/* Texts of one character each, in order. */
static bool take_characters(const json_t *list, alphabet *a)
{
    const size_t count = json_array_size(list);
    a->symbol = calloc(count + 1, sizeof *a->symbol);
    for (size_t k = 0; a->symbol && k < count; k++) {
        const char *text = json_string_value(json_array_get(list, k));
        if (!text || !line_files_is_character(text) || strcmp(text, a->symbol[k]) <= 0)
            return false;
        strcpy(a->symbol[k + 1], text);
    }
    a->classes = count + 1;
    return a->symbol && count > 0;
}

static lg_status read_characters(const loaded_model *m, alphabet *a)
{
    const char *text = lg_safetensors_metadata(m->file, "characters");
    json_t *list = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    lg_status status = json_is_array(list) && take_characters(list, a) ? LG_OK : loaded_lacks(m, "list \"characters\"");
    json_decref(list);
    return status;
}

lg_status ctc_file_open(loaded_model *m, ctc_lines *lines, ctc_options *options)
{
    size_t classes;
    lg_status status = loaded_open_file(m, &ctc_about, &options->shared);
    if (status == LG_OK)
        status = read_characters(m, &lines->alphabet);
    if (status == LG_OK)
        status = loaded_count(m, "height", 1, MOST_HEIGHT, &lines->height);
    if (status == LG_OK)
        status = loaded_count(m, "window", 1, MOST_COLUMNS, &lines->frames.window);
    if (status == LG_OK)
        status = loaded_count(m, "stride", 1, MOST_COLUMNS, &lines->frames.stride);
    if (status == LG_OK)
        status = hidden_load_inputs(m, lines->frames.window * lines->height, "out", &options->hidden, &classes);
    if (status == LG_OK && classes != lines->alphabet.classes)
        status = loaded_lacks(m, "list \"characters\"");
    return status;
}
