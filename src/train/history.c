/* Histories in memory (history.h). */
#include "train/history_internal.h"

#include "tensor/memory_internal.h"
#include "tensor/suggest_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

lg_history *lg_history_new(void)
{
    return lg_calloc(1, sizeof(lg_history), "lg_history_new");
}

void lg_history_free(lg_history *history)
{
    if (!history)
        return;
    for (size_t i = 0; i < history->column_count; i++)
        free(history->columns[i].values);
    free(history->columns);
    free(history);
}

/* ---------------------------------------------------------------- reading */

size_t lg_history_rows(const lg_history *history)
{
    return history ? history->rows : 0;
}

size_t lg_history_column_count(const lg_history *history)
{
    return history ? history->column_count : 0;
}

const char *lg_history_column_name(const lg_history *history, size_t index)
{
    return index < lg_history_column_count(history) ? history->columns[index].name : NULL;
}

size_t lg_history_find(const lg_history *history, const char *name)
{
    size_t i = 0;
    while (i < history->column_count && strcmp(history->columns[i].name, name) != 0)
        i++;
    return i;
}

bool lg_history_has(const lg_history *history, const char *name)
{
    return history && name && lg_history_find(history, name) < history->column_count;
}

const double *lg_history_column(const lg_history *history, const char *name, size_t *rows)
{
    if (rows)
        *rows = 0;
    if (!history || !name) {
        lg_fail_null("lg_history_column: %s is NULL", history ? "the name" : "the history");
        return NULL;
    }
    size_t i = lg_history_find(history, name);
    if (i == history->column_count) {
        lg_nearest nearest = lg_nearest_to(name);
        for (size_t k = 0; k < history->column_count; k++)
            lg_nearest_try(&nearest, history->columns[k].name);
        lg_fail(LG_E_PARAM, "the history has no column \"%s\"%s", name, lg_nearest_text(&nearest));
        return NULL;
    }
    if (rows)
        *rows = history->rows;
    return history->columns[i].values;
}

double lg_history_last(const lg_history *history, const char *name)
{
    size_t rows;
    const double *column = lg_history_column(history, name, &rows);
    if (!column)
        return NAN;
    if (rows == 0) {
        lg_fail(LG_E_STATE, "lg_history_last: the history has no rows yet");
        return NAN;
    }
    return column[rows - 1];
}

lg_stop lg_history_stop(const lg_history *history)
{
    return history ? history->stop : LG_STOP_NONE;
}

int lg_history_signal(const lg_history *history)
{
    return history ? history->signal : 0;
}

size_t lg_history_best_epoch(const lg_history *history)
{
    return history ? history->best_epoch : 0;
}

/* ----------------------------------------------------------------- adding */

bool lg_column_name_check(const char *what, const char *name)
{
    size_t length = name ? strlen(name) : 0;
    if (!name)
        lg_fail_null("%s: a name is NULL", what);
    else if (length == 0 || length >= LG_COLUMN_BYTES)
        lg_fail(LG_E_PARAM, "%s: a column's name has 1 to %d bytes, not %zu", what, LG_COLUMN_BYTES - 1, length);
    else {
        for (const char *c = name; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 127 || strchr(",\"\\", *c)) {
                lg_fail(LG_E_PARAM, "%s: \"%s\" is no column name: control characters, commas, double quotes and "
                                    "backslashes do not belong in one", what, name);
                return false;
            }
        return true;
    }
    return false;
}

static lg_status check_names(size_t count, const char *const *names)
{
    for (size_t i = 0; i < count; i++) {
        if (!lg_column_name_check("lg_history_add", names[i]))
            return lg_error_code();
        for (size_t k = 0; k < i; k++)
            if (strcmp(names[i], names[k]) == 0)
                return lg_fail(LG_E_PARAM, "lg_history_add: \"%s\" comes twice", names[i]);
    }
    return LG_OK;
}

static lg_status reserve_row(lg_history *history)
{
    if (history->rows < history->row_capacity)
        return LG_OK;
    size_t grown = history->row_capacity ? history->row_capacity * 2 : 32;
    for (size_t i = 0; i < history->column_count; i++) {
        double *values = lg_realloc(history->columns[i].values, grown, sizeof *values, "lg_history_add");
        if (!values)
            return LG_E_MEMORY; /* columns that have grown already just hold more than they must */
        history->columns[i].values = values;
    }
    history->row_capacity = grown;
    return LG_OK;
}

/* A column at `index`, NaN in the rows that are there. */
static lg_status insert_column(lg_history *history, size_t index, const char *name)
{
    if (lg_reserve(&history->columns, &history->column_capacity, history->column_count + 1, sizeof *history->columns,
                   "lg_history_add") != LG_OK)
        return LG_E_MEMORY;
    double *values = lg_calloc(history->row_capacity, sizeof *values, "lg_history_add");
    if (!values)
        return LG_E_MEMORY;
    for (size_t row = 0; row < history->rows; row++)
        values[row] = NAN;
    lg_column *at = history->columns + index;
    memmove(at + 1, at, (history->column_count - index) * sizeof *at);
    snprintf(at->name, sizeof at->name, "%s", name);
    at->values = values;
    at->fresh = true;
    history->column_count++;
    return LG_OK;
}

static void remove_column(lg_history *history, size_t index)
{
    lg_column *at = history->columns + index;
    free(at->values);
    history->column_count--;
    memmove(at, at + 1, (history->column_count - index) * sizeof *at);
}

/* Columns for the names that are new, all of them or none. */
static lg_status add_columns(lg_history *history, size_t count, const char *const *names)
{
    const size_t before = history->column_count;
    lg_status status = LG_OK;
    for (size_t i = 0, behind = 0; i < count && status == LG_OK; i++) {
        size_t at = lg_history_find(history, names[i]);
        if (at == history->column_count)
            status = insert_column(history, at = behind, names[i]);
        behind = at + 1;
    }
    for (size_t i = history->column_count; i-- > 0;) {
        if (history->columns[i].fresh && status != LG_OK)
            remove_column(history, i);
        else
            history->columns[i].fresh = false;
    }
    history->layout += history->column_count != before;
    return status;
}

lg_status lg_history_add(lg_history *history, size_t count, const char *const *names, const double *values)
{
    if (!history || (count > 0 && (!names || !values)))
        return lg_fail_null("lg_history_add: an argument is NULL");
    lg_status status = check_names(count, names);
    if (status == LG_OK)
        status = reserve_row(history);
    if (status == LG_OK)
        status = add_columns(history, count, names);
    if (status != LG_OK)
        return status;
    for (size_t i = 0; i < history->column_count; i++)
        history->columns[i].values[history->rows] = NAN;
    for (size_t i = 0; i < count; i++)
        history->columns[lg_history_find(history, names[i])].values[history->rows] = values[i];
    history->rows++;
    return LG_OK;
}

void lg_history_cut(lg_history *history, size_t rows)
{
    if (history && rows < history->rows)
        history->rows = rows;
}
