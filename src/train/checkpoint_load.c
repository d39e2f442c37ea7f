/* Checkpoints: reading one back (checkpoint_internal.h). All is read and checked before anything is put in place. */
#include "train/checkpoint_internal.h"

#include "models/safetensors_internal.h"
#include "tensor/memory_internal.h"
#include "tensor/tensor_internal.h"
#include "train/history_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef union number_value {
    size_t count;
    uint64_t count64;
    double real;
    bool flag;
} number_value;

typedef struct loading {
    lg_checkpoint *checkpoint;
    const char *path;
    lg_safetensors *file;
    lg_checkpoint_number numbers[LG_CHECKPOINT_NUMBERS];
    number_value values[LG_CHECKPOINT_NUMBERS];
    size_t number_count;
    lg_checkpoint_tensor *tensors;
    size_t tensor_count;
    char *staged;          /* their values, one after the other */
    lg_history *history;
} loading;

static lg_status damaged(const loading *l, const char *what)
{
    return lg_fail(LG_E_FORMAT, "%s: the checkpoint is damaged: %s", l->path, what);
}

/* --------------------------------------------------------------- as it lies */

/* The bytes of a tensor, in the machine's order. */
static lg_status read_values(const loading *l, const lg_file_tensor *tensor, void *values)
{
    lg_status status = lg_safetensors_read_bytes(l->file, tensor, values);
    if (status == LG_OK && tensor->size > 0)
        lg_little_endian(values, tensor->bytes / tensor->size, tensor->size);
    return status;
}

static lg_status check_sum(const loading *l)
{
    const char *stated = lg_safetensors_metadata(l->file, LG_CHECKPOINT_SUM);
    if (!lg_safetensors_metadata(l->file, LG_CHECKPOINT_MARK))
        return lg_fail(LG_E_FORMAT, "%s: is no checkpoint", l->path);
    uint64_t sum = 0;
    for (size_t i = 0; i < lg_safetensors_metadata_count(l->file); i++) {
        const lg_metadata text = lg_safetensors_metadata_at(l->file, i);
        if (strcmp(text.key, LG_CHECKPOINT_SUM) != 0)
            sum += lg_checkpoint_sum_text(text.key, text.value);
    }
    lg_status status = LG_OK;
    for (size_t i = 0; i < lg_safetensors_count(l->file) && status == LG_OK; i++) {
        const lg_file_tensor *t = lg_safetensors_at(l->file, i);
        if (t->dtype != LG_FILE_F32 && t->dtype != LG_FILE_F64)
            return damaged(l, "a tensor is neither F32 nor F64");
        void *values = lg_calloc(t->bytes, 1, "a checkpoint");
        status = values ? read_values(l, t, values) : LG_E_MEMORY;
        if (status == LG_OK)
            sum += lg_checkpoint_sum_tensor(t->name, t->dtype, t->rank, t->dims, values, t->bytes);
        free(values);
    }
    char text[24];
    snprintf(text, sizeof text, "%016" PRIx64, sum);
    if (status == LG_OK && (!stated || strcmp(stated, text) != 0))
        status = damaged(l, "its checksum is wrong");
    return status;
}

/* ---------------------------------------------------------- whether it fits */

static lg_status differs(const loading *l, const char *key, const char *theirs, const char *ours)
{
    const lg_file_excerpt then = lg_file_excerpt_of(theirs ? theirs : "none");
    const lg_file_excerpt now = lg_file_excerpt_of(ours ? ours : "none");
    return lg_fail(LG_E_STATE, "%s: cannot be gone on from: %s was %s then, and is %s now", l->path, key, then.text,
                   now.text);
}

static lg_status check_traits(const loading *l)
{
    lg_checkpoint_trait traits[LG_CHECKPOINT_TRAITS];
    const size_t count = lg_checkpoint_traits(l->checkpoint, traits);
    const char *version = lg_safetensors_metadata(l->file, LG_CHECKPOINT_MARK);
    if (strcmp(version, LG_CHECKPOINT_VERSION) != 0)
        return differs(l, "the checkpoints' version", version, LG_CHECKPOINT_VERSION);
    for (size_t i = 0; i < count; i++) {
        const char *theirs = lg_safetensors_metadata(l->file, traits[i].key);
        if (!theirs || strcmp(theirs, traits[i].text) != 0)
            return differs(l, traits[i].key, theirs, traits[i].text);
    }
    return LG_OK;
}

static const char *fact_here(const lg_fit_options *o, const char *key)
{
    for (size_t i = 0; i < o->checkpoint_fact_count; i++)
        if (strcmp(o->checkpoint_facts[i].key, key) == 0)
            return o->checkpoint_facts[i].value;
    return NULL;
}

/* The caller's facts: those of the file first, then those that only this training has. */
static lg_status check_facts(const loading *l)
{
    const lg_fit_options *o = l->checkpoint->options;
    const size_t prefix = strlen(LG_CHECKPOINT_FACT);
    size_t known = 0;
    for (size_t i = 0; i < lg_safetensors_metadata_count(l->file); i++) {
        const lg_metadata fact = lg_safetensors_metadata_at(l->file, i);
        if (strncmp(fact.key, LG_CHECKPOINT_FACT, prefix) != 0)
            continue;
        const char *now = fact_here(o, fact.key + prefix);
        if (!now || strcmp(now, fact.value) != 0)
            return differs(l, fact.key + prefix, fact.value, now);
        known++;
    }
    for (size_t i = 0; i < o->checkpoint_fact_count && known < o->checkpoint_fact_count; i++) {
        char key[256];
        snprintf(key, sizeof key, "%s%s", LG_CHECKPOINT_FACT, o->checkpoint_facts[i].key);
        if (!lg_safetensors_metadata(l->file, key))
            return differs(l, o->checkpoint_facts[i].key, NULL, o->checkpoint_facts[i].value);
    }
    return LG_OK;
}

/* ------------------------------------------------------------------ numbers */

static bool read_number(const char *text, const lg_checkpoint_number *number, number_value *value)
{
    char *end;
    if (number->kind == LG_CHECKPOINT_REAL) {
        value->real = lg_number_read(text, &end);
        return end != text && *end == '\0';
    }
    errno = 0;
    const unsigned long long whole = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return false;
    switch (number->kind) {
    case LG_CHECKPOINT_COUNT: value->count = (size_t)whole; return whole <= SIZE_MAX;
    case LG_CHECKPOINT_COUNT64: value->count64 = whole; return true;
    default: value->flag = whole != 0; return whole <= 1;
    }
}

static lg_status read_numbers(loading *l)
{
    l->number_count = lg_checkpoint_numbers(l->checkpoint, l->numbers);
    for (size_t i = 0; i < l->number_count; i++) {
        const char *text = lg_safetensors_metadata(l->file, l->numbers[i].key);
        if (!text || !read_number(text, l->numbers + i, l->values + i))
            return damaged(l, l->numbers[i].key);
    }
    return LG_OK;
}

static void put_number(const lg_checkpoint_number *number, const number_value *value)
{
    switch (number->kind) {
    case LG_CHECKPOINT_COUNT: *(size_t *)number->at = value->count; break;
    case LG_CHECKPOINT_COUNT64: *(uint64_t *)number->at = value->count64; break;
    case LG_CHECKPOINT_REAL: *(double *)number->at = value->real; break;
    default: *(bool *)number->at = value->flag;
    }
}

static size_t count_named(const loading *l, const void *at)
{
    for (size_t i = 0; i < l->number_count; i++)
        if (l->numbers[i].at == at)
            return l->values[i].count;
    return 0;
}

/* ------------------------------------------------------------------ tensors */

static lg_status check_tensor(const loading *l, const lg_checkpoint_tensor *to)
{
    if (!lg_safetensors_has(l->file, to->name))
        return lg_fail(LG_E_STATE, "%s: cannot be gone on from: it has no \"%s\"", l->path,
                       lg_file_excerpt_of(to->name).text);
    const lg_file_tensor *from = lg_safetensors_find(l->file, to->name);
    char then[LG_SHAPE_TEXT_BYTES] = "of more axes than are possible", now[LG_SHAPE_TEXT_BYTES];
    if (from->dtype != to->dtype)
        return differs(l, to->name, lg_file_dtype_name(from->dtype), lg_file_dtype_name(to->dtype));
    if (from->rank == to->rank && (to->rank == 0 || memcmp(from->dims, to->dims, to->rank * sizeof *to->dims) == 0))
        return LG_OK;
    if (from->rank <= LG_MAX_RANK)
        lg_shape_text(from->rank, from->dims, then, sizeof then);
    return differs(l, to->name, then, lg_shape_text(to->rank, to->dims, now, sizeof now));
}

static bool is_wanted(const loading *l, const char *name)
{
    if (strncmp(name, LG_CHECKPOINT_HISTORY, strlen(LG_CHECKPOINT_HISTORY)) == 0)
        return true;
    for (size_t i = 0; i < l->tensor_count; i++)
        if (strcmp(l->tensors[i].name, name) == 0)
            return true;
    return false;
}

/* Reads all that training had, and no more, into memory of its own. */
static lg_status stage_tensors(loading *l)
{
    lg_monitor *monitor = l->checkpoint->monitor;
    const bool best = monitor->keeps_best && count_named(l, &monitor->best_epoch) > 0;
    size_t bytes = 0, used = 0;
    if (best && !monitor->snapshot && !(monitor->snapshot = lg_params_snapshot(l->checkpoint->optimizer->params)))
        return lg_error_code();
    if (!(l->tensors = lg_checkpoint_tensors(l->checkpoint, best, &l->tensor_count)))
        return LG_E_MEMORY;
    for (size_t i = 0; i < l->tensor_count; i++) {
        lg_status status = check_tensor(l, l->tensors + i);
        if (status != LG_OK)
            return status;
        bytes += l->tensors[i].bytes; /* in memory already, so no overflow */
    }
    for (size_t i = 0; i < lg_safetensors_count(l->file); i++)
        if (!is_wanted(l, lg_safetensors_at(l->file, i)->name))
            return lg_fail(LG_E_STATE, "%s: cannot be gone on from: it has a \"%s\" that the training here has not",
                           l->path, lg_file_excerpt_of(lg_safetensors_at(l->file, i)->name).text);
    if (!(l->staged = lg_calloc(bytes, 1, "a checkpoint")))
        return LG_E_MEMORY;
    for (size_t i = 0; i < l->tensor_count; i++) {
        lg_status status = read_values(l, lg_safetensors_find(l->file, l->tensors[i].name), l->staged + used);
        if (status != LG_OK)
            return status;
        used += l->tensors[i].bytes;
    }
    return LG_OK;
}

/* ------------------------------------------------------------------ history */

/* The history's columns as they lie in the file, rows values each, one behind the other. */
typedef struct table {
    const char **names;
    double *columns, *row;
    size_t count, rows;
} table;

static lg_status read_table(const loading *l, table *t)
{
    const size_t tensors = lg_safetensors_count(l->file), prefix = strlen(LG_CHECKPOINT_HISTORY);
    size_t values;
    if (!(t->names = lg_calloc(tensors, sizeof *t->names, "a checkpoint")))
        return LG_E_MEMORY;
    for (size_t i = 0; i < tensors; i++) {
        const lg_file_tensor *column = lg_safetensors_at(l->file, i);
        if (strncmp(column->name, LG_CHECKPOINT_HISTORY, prefix) != 0)
            continue;
        if (column->dtype != LG_FILE_F64 || column->rank != 1 || (t->count > 0 && column->dims[0] != t->rows))
            return damaged(l, "its history is no table");
        t->rows = column->dims[0];
        t->names[t->count++] = column->name + prefix;
    }
    if (!lg_size_mul(t->count, t->rows, &values) || values == 0)
        return damaged(l, "it has no history");
    t->columns = lg_calloc(values, sizeof *t->columns, "a checkpoint");
    t->row = t->columns ? lg_calloc(t->count, sizeof *t->row, "a checkpoint") : NULL;
    lg_status status = t->row ? LG_OK : LG_E_MEMORY;
    for (size_t i = 0, c = 0; i < tensors && status == LG_OK; i++)
        if (strncmp(lg_safetensors_at(l->file, i)->name, LG_CHECKPOINT_HISTORY, prefix) == 0)
            status = read_values(l, lg_safetensors_at(l->file, i), t->columns + c++ * t->rows);
    return status;
}

static lg_status stage_history(loading *l)
{
    table t = { 0 };
    lg_status status = (l->history = lg_history_new()) ? read_table(l, &t) : LG_E_MEMORY;
    for (size_t row = 0; row < t.rows && status == LG_OK; row++) {
        for (size_t c = 0; c < t.count; c++)
            t.row[c] = t.columns[c * t.rows + row];
        status = lg_history_add(l->history, t.count, t.names, t.row);
    }
    free(t.names);
    free(t.columns);
    free(t.row);
    if (status == LG_OK && count_named(l, l->checkpoint->epoch) != t.rows)
        status = damaged(l, "its history has not a row for each epoch");
    return status;
}

/* -------------------------------------------------------------------- all */

static lg_status stage(loading *l)
{
    lg_status status = check_sum(l);
    if (status == LG_OK)
        status = check_traits(l);
    if (status == LG_OK)
        status = check_facts(l);
    if (status == LG_OK)
        status = read_numbers(l);
    if (status == LG_OK)
        status = stage_tensors(l);
    return status == LG_OK ? stage_history(l) : status;
}

static void put_in_place(loading *l)
{
    for (size_t i = 0; i < l->number_count; i++)
        put_number(l->numbers + i, l->values + i);
    const char *values = l->staged;
    for (size_t i = 0; i < l->tensor_count; i++) {
        if (l->tensors[i].bytes)
            memcpy(l->tensors[i].values, values, l->tensors[i].bytes);
        values += l->tensors[i].bytes;
    }
    const lg_history empty = *l->checkpoint->history;
    *l->checkpoint->history = *l->history;
    *l->history = empty;
}

lg_status lg_checkpoint_load(lg_checkpoint *checkpoint, const char *path, const char *history_path,
                             lg_history_file **history_file)
{
    loading l = { .checkpoint = checkpoint, .path = path, .file = lg_safetensors_open(path) };
    lg_status status = l.file ? stage(&l) : lg_error_code();
    if (status == LG_OK && history_path && !(*history_file = lg_history_file_resume(history_path, l.history)))
        status = lg_error_code();
    if (status == LG_OK)
        put_in_place(&l);
    lg_history_free(l.history);
    free(l.staged);
    free(l.tensors);
    lg_safetensors_close(l.file);
    return status;
}
