#include "embedder_options.h"

#include <string.h>

void embedder_take_textbook(embedder_options *options, trainer_options *shared)
{
    options->textbook = true;
    options->hidden = (hidden_layers){ { 512 }, 1 };
    options->width = 128;
    options->tanh_output = true;
    shared->optimizer = "sgd";
    shared->learning_rate = 0.01;
}

error_t embedder_parse(int key, char *arg, struct argp_state *state, embedder_options *options, trainer_options *shared)
{
    const argument_range share = { 0, 1, true, true }, rate = { 0, 1, false, true };
    switch (key) {
    case EMBEDDER_KEY_HIDDEN: /* "0" alone: none */
        options->hidden = strcmp(arg, "0") == 0 ? (hidden_layers){ .count = 0 } : hidden_argument(state, arg);
        break;
    case EMBEDDER_KEY_EMBEDDING: options->width = argument_count(state, "--embedding", arg, 1, 65536); break;
    case EMBEDDER_KEY_NORMALIZE: options->normalize = argument_choice(state, "--normalize", arg, "no|yes") == 1; break;
    case EMBEDDER_KEY_SCALE: options->scale = argument_choice(state, "--scale", arg, "all|each"); break;
    case EMBEDDER_KEY_PAIRS: options->pairs = argument_count(state, "--eval-pairs", arg, 10, 100000000); break;
    case EMBEDDER_KEY_FALSE_ACCEPTS:
        options->false_accepts = argument_real(state, "--false-accepts", arg, rate);
        break;
    case EMBEDDER_KEY_VALIDATION:
        shared->validation_split = argument_real(state, "--validation-split", arg, share);
        break;
    case EMBEDDER_KEY_TEST: shared->test_split = argument_real(state, "--test-split", arg, share); break;
    case EMBEDDER_KEY_TEXTBOOK: embedder_take_textbook(options, shared); break;
    case ARGP_KEY_END:
        if (shared->data && !shared->target && !shared->labels)
            argp_error(state, "--data needs --target or --labels: what class each row is of");
        if (!shared->data && !shared->predict && shared->target)
            argp_error(state, "--target needs --data");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

void embedder_options_note(run *r, const embedder_options *options)
{
    run_note_text(r, "arguments.scale", options->scale == EMBEDDER_SCALE_ALL ? "all" : "each");
    run_note_count(r, "arguments.eval_pairs", options->pairs);
    run_note_number(r, "arguments.false_accepts", options->false_accepts);
}
