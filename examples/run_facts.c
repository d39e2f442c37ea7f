#include "run_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Puts a value (which it takes over) at a path of names, making the objects on the way. */
static void note(run *r, const char *key, json_t *value)
{
    json_t *object = r->facts;
    for (const char *point; object && (point = strchr(key, '.')) != NULL; key = point + 1) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(point - key), key);
        json_t *inner = json_object_get(object, name);
        if (!json_is_object(inner)) {
            inner = json_object();
            if (json_object_set_new(object, name, inner) < 0)
                inner = NULL;
        }
        object = inner;
    }
    if (!object) {
        json_decref(value);
        r->lost = true;
    } else if (json_object_set_new(object, key, value) < 0) {
        r->lost = true;
    }
}

static json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void run_note_number(run *r, const char *key, double value)
{
    note(r, key, json_number(value));
}

void run_note_numbers(run *r, const char *key, size_t count, const double *values)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        r->lost |= json_array_append_new(array, json_number(values[i])) < 0;
    note(r, key, array);
}

void run_note_count(run *r, const char *key, uint64_t value)
{
    note(r, key, json_integer((json_int_t)value));
}

/* A JSON string, with a "?" for every byte that does not belong to valid UTF-8. */
static json_t *json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    char *copy = strdup(text);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = copy ? json_string(copy) : NULL;
    free(copy);
    return value;
}

void run_note_text(run *r, const char *key, const char *text)
{
    note(r, key, text ? json_text(text) : json_null());
}

void run_note_flag(run *r, const char *key, bool value)
{
    note(r, key, json_boolean(value));
}

void run_note_counts(run *r, const char *key, size_t count, const size_t *values)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        r->lost |= json_array_append_new(array, json_integer((json_int_t)values[i])) < 0;
    note(r, key, array);
}

void run_note_texts(run *r, const char *key, size_t count, const char *const *texts)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        r->lost |= json_array_append_new(array, json_text(texts[i])) < 0;
    note(r, key, array);
}

void run_note_file(run *r, const char *name)
{
    json_t *files = json_object_get(r->facts, "files"), *file;
    if (!files) {
        files = json_array();
        note(r, "files", files);
    }
    size_t i;
    json_array_foreach(files, i, file)
        if (strcmp(json_string_value(file), name) == 0)
            return;
    r->lost |= json_array_append_new(files, json_text(name)) < 0;
}

/* ----------------------------------------------------- facts of checkpoints */

/* Whether a run that is gone on with may have another value of this: see run_facts. */
static bool may_change(const char *key)
{
    static const char *const free_to_change[] = { "arguments.epochs", "arguments.early_stopping", "arguments.threads",
                                                  "data.source" };
    for (size_t i = 0; i < sizeof free_to_change / sizeof *free_to_change; i++)
        if (strcmp(key, free_to_change[i]) == 0)
            return true;
    return false;
}

/* The members of one object of the facts, as JSON texts by their paths. */
static bool add_fact_texts(run *r, const char *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(r->facts, object), name, value)
    {
        char key[160];
        snprintf(key, sizeof key, "%s.%s", object, name);
        if (may_change(key))
            continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
        const bool added = text && json_object_set_new(r->fact_texts, key, json_string(text)) == 0;
        free(text);
        if (!added)
            return false;
    }
    return true;
}

const lg_metadata *run_facts(run *r, size_t *count)
{
    *count = 0;
    json_decref(r->fact_texts);
    free(r->given);
    r->given = NULL;
    r->fact_texts = json_object();
    const bool whole = !r->lost && r->fact_texts && add_fact_texts(r, "arguments") && add_fact_texts(r, "data");
    r->given = whole ? calloc(json_object_size(r->fact_texts) + 1, sizeof *r->given) : NULL;
    if (!r->given) {
        lg_fail(LG_E_MEMORY, "out of memory for the facts of a run");
        return NULL;
    }
    const char *name;
    json_t *text;
    json_object_foreach(r->fact_texts, name, text)
        r->given[(*count)++] = (lg_metadata){ name, json_string_value(text) };
    return r->given;
}
