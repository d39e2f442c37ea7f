/* Checkpoints: what they hold, and how they are written (checkpoint_internal.h). */
#include "train/checkpoint_internal.h"

#include "tensor/memory_internal.h"
#include "tensor/tensor_internal.h"
#include "train/history_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ------------------------------------------------------------- its contents */

size_t lg_checkpoint_numbers(const lg_checkpoint *c, lg_checkpoint_number numbers[LG_CHECKPOINT_NUMBERS])
{
    lg_schedule_state *plateau = &c->schedule->state;
    const lg_checkpoint_number always[] = {
        { "epoch", LG_CHECKPOINT_COUNT, c->epoch },
        { "updates", LG_CHECKPOINT_COUNT, c->updates },
        { "learning_rate.base", LG_CHECKPOINT_REAL, c->base_rate },
        { "learning_rate", LG_CHECKPOINT_REAL, &c->optimizer->learning_rate },
        { "optimizer.steps", LG_CHECKPOINT_COUNT64, &c->optimizer->steps },
        { "schedule.has_best", LG_CHECKPOINT_FLAG, &plateau->has_best },
        { "schedule.best", LG_CHECKPOINT_REAL, &plateau->best },
        { "schedule.bad_epochs", LG_CHECKPOINT_COUNT, &plateau->bad_epochs },
        { "schedule.cooling", LG_CHECKPOINT_COUNT, &plateau->cooling },
        { "schedule.reductions", LG_CHECKPOINT_COUNT, &plateau->reductions },
        { "early_stopping.best", LG_CHECKPOINT_REAL, &c->monitor->best },
        { "early_stopping.best_epoch", LG_CHECKPOINT_COUNT, &c->monitor->best_epoch },
        { "early_stopping.waited", LG_CHECKPOINT_COUNT, &c->monitor->waited },
    };
    size_t count = sizeof always / sizeof *always;
    memcpy(numbers, always, sizeof always);
    if (c->average) {
        numbers[count++] = (lg_checkpoint_number){ "average.seen", LG_CHECKPOINT_COUNT64, &c->average->seen };
        numbers[count++] = (lg_checkpoint_number){ "average.updates", LG_CHECKPOINT_COUNT64, &c->average->updates };
    }
    return count;
}

static void add_trait(lg_checkpoint_trait *traits, size_t *count, const char *key, const char *text)
{
    lg_checkpoint_trait *trait = traits + (*count)++;
    trait->key = key;
    snprintf(trait->text, sizeof trait->text, "%s", text);
}

static void add_count(lg_checkpoint_trait *traits, size_t *count, const char *key, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    add_trait(traits, count, key, text);
}

static void add_sum_of_data(lg_checkpoint_trait *traits, size_t *count, const char *key, const lg_fit_sum *of)
{
    char text[24] = "unknown";
    if (of->known)
        snprintf(text, sizeof text, "%016" PRIx64, of->sum);
    add_trait(traits, count, key, text);
}

size_t lg_checkpoint_traits(const lg_checkpoint *c, lg_checkpoint_trait traits[LG_CHECKPOINT_TRAITS])
{
    static const char *const averages[] = { "none", "mean", "polynomial", "exponential" };
    static const char *const schedules[] = { "constant", "step", "exponential", "cosine", "plateau", "inverse" };
    const lg_fit_options *o = c->options;
    size_t count = 0;
    char watched[96] = "none";
    if (c->monitor->patience)
        snprintf(watched, sizeof watched, "%s%s", c->monitor->name, c->monitor->keeps_best ? ", best kept" : "");
    add_trait(traits, &count, "real numbers", LG_REAL_BITS == 64 ? "double" : "float");
    add_trait(traits, &count, "optimizer", c->optimizer->name);
    add_trait(traits, &count, "schedule", schedules[c->schedule->kind]);
    add_trait(traits, &count, "average", averages[c->average ? c->average->options.kind : LG_AVERAGE_NONE]);
    add_trait(traits, &count, "early stopping", watched);
    char order[96];
    snprintf(order, sizeof order, c->window ? "shuffled, %zu blocks of %zu at a time" : "shuffled", c->window,
             c->block_rows);
    add_trait(traits, &count, "order of rows", o->no_shuffle ? "as they are" : order);
    add_count(traits, &count, "seed", o->seed);
    add_count(traits, &count, "training rows", c->rows);
    add_count(traits, &count, "validation rows", c->validation_rows);
    add_sum_of_data(traits, &count, "checksum of the training data", c->sum);
    add_sum_of_data(traits, &count, "checksum of the validation data", c->validation_sum);
    add_count(traits, &count, "batch size", c->batch_size);
    add_count(traits, &count, "batches per update", o->accumulate > 1 ? o->accumulate : 1);
    return count;
}

/* Appends one tensor per parameter. `values` is laid out as the set's blocks, or, for doubles, without gaps. */
static void add_tensors(const lg_checkpoint *c, lg_checkpoint_tensor *list, size_t *count, const char *prefix,
                        lg_file_dtype dtype, void *values)
{
    const lg_params *params = c->optimizer->params;
    size_t packed = 0;
    for (size_t i = 0; i < lg_params_count(params); i++) {
        const lg_tensor *tensor = lg_params_at(params, i);
        const bool mean = c->average && values == c->average->mean;
        const size_t at = mean ? packed * sizeof(double) : lg_params_offset(params, i) * sizeof(lg_real);
        lg_checkpoint_tensor *t = list + (*count)++;
        snprintf(t->name, sizeof t->name, "%s/%s", prefix, lg_params_name(params, i));
        t->dtype = dtype;
        t->rank = tensor->rank;
        t->dims = tensor->dims;
        t->size = tensor->size;
        t->bytes = tensor->size * (mean ? sizeof(double) : sizeof(lg_real));
        t->values = (char *)values + at;
        packed += tensor->size;
    }
}

lg_checkpoint_tensor *lg_checkpoint_tensors(const lg_checkpoint *c, bool best, size_t *count)
{
    const lg_optimizer *optimizer = c->optimizer;
    const size_t kinds = 1 + optimizer->state_count + (c->average != NULL) + best;
    lg_checkpoint_tensor *list = lg_calloc(lg_params_count(optimizer->params) * kinds, sizeof *list, "a checkpoint");
    *count = 0;
    if (!list)
        return NULL;
    lg_real *working = c->average && c->average->applied ? lg_snapshot_values(c->average->kept)
                                                          : lg_params_values(optimizer->params);
    add_tensors(c, list, count, "parameters", LG_FILE_REAL, working);
    for (size_t s = 0; s < optimizer->state_count; s++) {
        char prefix[48];
        snprintf(prefix, sizeof prefix, "optimizer.%s", optimizer->state_name[s]);
        add_tensors(c, list, count, prefix, LG_FILE_REAL, optimizer->state[s]);
    }
    if (c->average)
        add_tensors(c, list, count, "average", LG_FILE_F64, c->average->mean);
    if (best)
        add_tensors(c, list, count, "best", LG_FILE_REAL, lg_snapshot_values(c->monitor->snapshot));
    return list;
}

/* ----------------------------------------------------------------- checksum */

static uint32_t crc(uint32_t sum, const void *bytes, size_t count)
{
    return count ? (uint32_t)crc32_z(sum, bytes, count) : sum;
}

uint64_t lg_checkpoint_sum_text(const char *key, const char *text)
{
    return crc(crc(0, key, strlen(key) + 1), text, strlen(text));
}

uint64_t lg_checkpoint_sum_tensor(const char *name, lg_file_dtype dtype, size_t rank, const size_t *dims,
                                  const void *values, size_t bytes)
{
    uint32_t sum = crc(0, name, strlen(name) + 1);
    for (size_t i = 0; i < rank + 1; i++) {
        char text[32]; /* as text: the same whatever the size of size_t */
        snprintf(text, sizeof text, "%zu ", i ? dims[i - 1] : (size_t)dtype);
        sum = crc(sum, text, strlen(text));
    }
    return crc(sum, values, bytes);
}

/* ------------------------------------------------------------------ writing */

typedef struct writing {
    const lg_checkpoint *checkpoint;
    lg_metadata *texts;
    size_t text_count;
    lg_file_entry *entries;
    size_t entry_count;
    char numbers[LG_CHECKPOINT_NUMBERS][LG_NUMBER_BYTES];
    lg_checkpoint_trait traits[LG_CHECKPOINT_TRAITS];
    char position[2][24], sum[24];
    char *names; /* of the facts and of the history's tensors */
    size_t name_bytes, name_used;
} writing;

static const char *number_text(const lg_checkpoint_number *number, char text[LG_NUMBER_BYTES])
{
    switch (number->kind) {
    case LG_CHECKPOINT_COUNT: snprintf(text, LG_NUMBER_BYTES, "%zu", *(const size_t *)number->at); break;
    case LG_CHECKPOINT_COUNT64: snprintf(text, LG_NUMBER_BYTES, "%" PRIu64, *(const uint64_t *)number->at); break;
    case LG_CHECKPOINT_FLAG: snprintf(text, LG_NUMBER_BYTES, "%d", *(const bool *)number->at); break;
    default: lg_number_exact(*(const double *)number->at, text);
    }
    return text;
}

static const char *name_of(writing *w, const char *prefix, const char *name)
{
    char *at = w->names + w->name_used;
    w->name_used += (size_t)snprintf(at, w->name_bytes - w->name_used, "%s%s", prefix, name) + 1;
    return at;
}

static void add_text(writing *w, const char *key, const char *text)
{
    w->texts[w->text_count++] = (lg_metadata){ key, text };
}

static void add_texts(writing *w)
{
    const lg_checkpoint *c = w->checkpoint;
    lg_checkpoint_number numbers[LG_CHECKPOINT_NUMBERS];
    const size_t number_count = lg_checkpoint_numbers(c, numbers), trait_count = lg_checkpoint_traits(c, w->traits);
    add_text(w, LG_CHECKPOINT_MARK, LG_CHECKPOINT_VERSION);
    for (size_t i = 0; i < trait_count; i++)
        add_text(w, w->traits[i].key, w->traits[i].text);
    for (size_t i = 0; i < number_count; i++)
        add_text(w, numbers[i].key, number_text(numbers + i, w->numbers[i]));
    snprintf(w->position[0], sizeof w->position[0], "%zu", c->history->rows);
    snprintf(w->position[1], sizeof w->position[1], "%" PRIu64, c->history_bytes);
    add_text(w, "history.rows", w->position[0]);
    add_text(w, "history.bytes", w->position[1]);
    for (size_t i = 0; i < c->options->checkpoint_fact_count; i++) {
        const lg_metadata *fact = c->options->checkpoint_facts + i;
        add_text(w, name_of(w, LG_CHECKPOINT_FACT, fact->key), fact->value);
    }
}

static void add_entries(writing *w, const lg_checkpoint_tensor *tensors, size_t count)
{
    const lg_history *history = w->checkpoint->history;
    for (size_t i = 0; i < count; i++)
        w->entries[w->entry_count++] = (lg_file_entry){ .name = tensors[i].name,
                                                        .dtype = tensors[i].dtype,
                                                        .rank = tensors[i].rank,
                                                        .dims = tensors[i].dims,
                                                        .values = tensors[i].values };
    for (size_t i = 0; i < history->column_count; i++)
        w->entries[w->entry_count++] =
            (lg_file_entry){ .name = name_of(w, LG_CHECKPOINT_HISTORY, history->columns[i].name),
                             .dtype = LG_FILE_F64,
                             .rank = 1,
                             .dims = &history->rows,
                             .values = history->columns[i].values };
}

static void add_sum(writing *w)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w->text_count; i++)
        sum += lg_checkpoint_sum_text(w->texts[i].key, w->texts[i].value);
    for (size_t i = 0; i < w->entry_count; i++) {
        const lg_file_entry *e = w->entries + i;
        size_t bytes = e->dtype == LG_FILE_F64 ? sizeof(double) : sizeof(lg_real);
        for (size_t axis = 0; axis < e->rank; axis++)
            bytes *= e->dims[axis]; /* what is in memory does not overflow */
        sum += lg_checkpoint_sum_tensor(e->name, e->dtype, e->rank, e->dims, e->values, bytes);
    }
    snprintf(w->sum, sizeof w->sum, "%016" PRIx64, sum);
    add_text(w, LG_CHECKPOINT_SUM, w->sum);
}

lg_status lg_checkpoint_save(const lg_checkpoint *c, const char *path)
{
    static const char what[] = "a checkpoint";
    const size_t columns = c->history->column_count, facts = c->options->checkpoint_fact_count;
    size_t tensor_count;
    writing w = { .checkpoint = c, .name_bytes = columns * (LG_COLUMN_BYTES + sizeof LG_CHECKPOINT_HISTORY) + 1 };
    for (size_t i = 0; i < facts; i++)
        w.name_bytes += sizeof LG_CHECKPOINT_FACT + strlen(c->options->checkpoint_facts[i].key);
    lg_checkpoint_tensor *tensors = lg_checkpoint_tensors(c, c->monitor->snapshot != NULL, &tensor_count);
    w.entries = tensors ? lg_calloc(tensor_count + columns, sizeof *w.entries, what) : NULL;
    w.texts = w.entries ? lg_calloc(LG_CHECKPOINT_NUMBERS + LG_CHECKPOINT_TRAITS + facts + 4, sizeof *w.texts, what)
                        : NULL;
    w.names = w.texts ? lg_calloc(w.name_bytes, 1, what) : NULL;
    lg_status status = LG_E_MEMORY;
    if (w.names) {
        add_texts(&w);
        add_entries(&w, tensors, tensor_count);
        add_sum(&w);
        status = lg_safetensors_write(path, w.entries, w.entry_count, w.texts, w.text_count);
    }
    free(tensors);
    free(w.entries);
    free(w.texts);
    free(w.names);
    return status;
}
