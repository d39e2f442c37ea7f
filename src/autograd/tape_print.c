/* A tape's record for the eye: the graph, and the first operation that went wrong (tape.h). */
#include "autograd/ops_internal.h"

#include <math.h>
#include <string.h>

/* What an operand is called: its own name, or the number of the operation that made it, or what kind of leaf it is. */
static const char *operand_name(const lg_tensor *x, char *text, size_t bytes)
{
    if (x->name)
        snprintf(text, bytes, "%s", x->name);
    else if (x->node)
        snprintf(text, bytes, "#%zu", x->node->number);
    else
        snprintf(text, bytes, "%s", x->dtype == LG_INT32         ? "indices"
                                    : x->owner != LG_OWNER_TAPE ? "tensor"
                                    : x->requires_grad          ? "variable"
                                                                : "constant");
    return text;
}

static void print_operand(const lg_tensor *x, FILE *stream)
{
    char name[128], shape[LG_SHAPE_TEXT_BYTES];
    fprintf(stream, "%s %s%s", operand_name(x, name, sizeof name), lg_tensor_shape_text(x, shape, sizeof shape),
            x->requires_grad ? " grad" : "");
}

void lg_tape_print(const lg_tape *tape, FILE *stream)
{
    if (!tape || !stream)
        return;
    int widest = 0;
    for (const lg_node *node = tape->first; node; node = node->next)
        if ((int)strlen(node->op->name) > widest)
            widest = (int)strlen(node->op->name);
    for (const lg_node *node = tape->first; node; node = node->next) {
        char shape[LG_SHAPE_TEXT_BYTES];
        fprintf(stream, "#%zu  %-*s  (", node->number, widest, node->op->name);
        for (size_t i = 0; i < node->count; i++) {
            fputs(i > 0 ? ", " : "", stream);
            print_operand(node->inputs[i], stream);
        }
        fprintf(stream, ") -> %s%s\n", lg_tensor_shape_text(node->output, shape, sizeof shape),
                node->output->requires_grad ? " grad" : "");
    }
    fprintf(stream, "%zu operation%s, %zu bytes held, %zu for gradients\n", tape->length, tape->length == 1 ? "" : "s",
            lg_tape_bytes(tape), tape->grad_bytes);
}

/* The first element that is NaN or infinite; false if all are finite. */
static bool find_nonfinite(const lg_tensor *x, size_t *where)
{
    if (x->dtype != LG_REAL)
        return false;
    for (size_t i = 0; i < x->size; i++)
        if (!isfinite((double)x->real[i])) {
            *where = i;
            return true;
        }
    return false;
}

bool lg_tape_find_nonfinite(const lg_tape *tape, char *text, size_t bytes)
{
    for (const lg_node *node = tape ? tape->first : NULL; node; node = node->next) {
        char shape[LG_SHAPE_TEXT_BYTES], at[LG_SHAPE_TEXT_BYTES], name[128], source[320] = "from finite inputs";
        size_t where, there;
        const lg_tensor *y = node->output;
        if (!find_nonfinite(y, &where))
            continue;
        for (size_t i = 0; i < node->count; i++) {
            const lg_tensor *x = node->inputs[i];
            if (!find_nonfinite(x, &there))
                continue;
            snprintf(source, sizeof source, "from its argument %zu, %s, which has %s at %s", i + 1,
                     operand_name(x, name, sizeof name), isnan((double)x->real[there]) ? "a NaN" : "an infinity",
                     lg_position_text(x, there, at, sizeof at));
            break;
        }
        if (text && bytes > 0)
            snprintf(text, bytes, "%s #%zu %s is the first operation with %s, at %s, %s", node->op->name, node->number,
                     lg_tensor_shape_text(y, shape, sizeof shape),
                     isnan((double)y->real[where]) ? "a NaN" : "an infinity", lg_position_text(y, where, at, sizeof at),
                     source);
        return true;
    }
    return false;
}
