#include "hidden.h"

#define MOST_WIDTH 65536

hidden_layers hidden_argument(struct argp_state *state, const char *text)
{
    hidden_layers hidden = { .count = 0 };
    hidden.count = argument_counts(state, "--hidden", text, 1, MOST_WIDTH, MOST_HIDDEN, hidden.width);
    return hidden;
}

void hidden_add(const hidden_layers *hidden, lg_sequential *net, lg_activation activation, lg_rng *rng)
{
    for (size_t i = 0; i < hidden->count; i++)
        lg_sequential_dense(net, hidden->width[i], activation, rng);
}

void hidden_text(const hidden_layers *hidden, size_t features, size_t outputs, char text[HIDDEN_TEXT])
{
    size_t used = (size_t)snprintf(text, HIDDEN_TEXT, "%zu", features);
    for (size_t i = 0; i < hidden->count; i++)
        used += (size_t)snprintf(text + used, HIDDEN_TEXT - used, ",%zu", hidden->width[i]);
    snprintf(text + used, HIDDEN_TEXT - used, ",%zu", outputs);
}

lg_status hidden_load(const loaded_model *m, const char *last, hidden_layers *hidden, size_t *outputs)
{
    return hidden_load_inputs(m, loaded_features(m), last, hidden, outputs);
}

lg_status hidden_load_inputs(const loaded_model *m, size_t inputs, const char *last, hidden_layers *hidden,
                             size_t *outputs)
{
    lg_status status = loaded_hidden(m, MOST_HIDDEN, hidden->width, &hidden->count, outputs);
    size_t in = inputs;
    for (size_t i = 0; status == LG_OK && i <= hidden->count; i++) {
        const bool is_last = i == hidden->count;
        const size_t out = is_last ? *outputs : hidden->width[i];
        char name[32];
        snprintf(name, sizeof name, "dense_%zu", i + 1);
        status = loaded_check_dense(m, is_last && last ? last : name, in, out);
        in = out;
    }
    return status;
}
