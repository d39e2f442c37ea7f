#include "clusters.h"

#include "program.h"
#include "tensor/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void clusters_write(const char *name, size_t first, size_t classes, size_t rows, int labels, unsigned seed)
{
    const size_t room = 64 + classes * rows * (CLUSTER_FEATURES * 12 + 12);
    char *text = calloc(room, 1);
    size_t used = (size_t)snprintf(text, room, "a,b,c,d%s\n", labels ? ",who" : "");
    lg_rng noise = lg_rng_seed(seed);
    for (size_t c = first; c < first + classes; c++) {
        const lg_rng all = lg_rng_seed(99);
        lg_rng of_class = lg_rng_split(&all, c);
        double centre[CLUSTER_FEATURES];
        for (size_t k = 0; k < CLUSTER_FEATURES; k++)
            centre[k] = 3 * lg_rng_normal(&of_class);
        for (size_t i = 0; i < rows; i++) {
            for (size_t k = 0; k < CLUSTER_FEATURES; k++)
                used += (size_t)snprintf(text + used, room - used, "%s%.4f", k ? "," : "",
                                         centre[k] + 0.4 * lg_rng_normal(&noise));
            used += (size_t)(labels ? snprintf(text + used, room - used, ",k%zu\n", c)
                                    : snprintf(text + used, room - used, "\n"));
        }
    }
    program_write(name, text);
    free(text);
}

static size_t column_index(const char *header, const char *column)
{
    size_t index = 0;
    const size_t length = strlen(column);
    for (const char *cell = header;; cell++, index++) {
        const size_t n = strcspn(cell, ",\n");
        if (n == length && strncmp(cell, column, n) == 0)
            return index;
        cell += n;
        ck_assert_msg(*cell == ',', "there is no column %s", column);
    }
}

double *table_column(const char *file, const char *column, const char *where, size_t *count)
{
    const char *text = program_file(file);
    const size_t index = column_index(text, column);
    double *values = calloc(count_lines(text), sizeof *values);
    *count = 0;
    for (const char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        if (where && (strncmp(line, where, strlen(where)) != 0 || line[strlen(where)] != ','))
            continue;
        const char *cell = line;
        for (size_t i = 0; i < index; i++)
            cell = strchr(cell, ',') + 1;
        char *end;
        const double value = strtod(cell, &end);
        values[(*count)++] = end == cell ? NAN : value;
    }
    return values;
}

double counted_auc(size_t n, const double *distance, const double *target)
{
    double won = 0, pairs = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            if (target[i] == 1 && target[k] == 0) {
                won += distance[i] < distance[k] ? 1 : distance[i] == distance[k] ? 0.5 : 0;
                pairs++;
            }
    return won / pairs;
}

double counted_share(size_t n, const double *distance, const double *target, double of_target, double threshold)
{
    double within = 0, all = 0;
    for (size_t i = 0; i < n; i++)
        if (target[i] == of_target) {
            within += distance[i] <= threshold;
            all++;
        }
    return within / all;
}
