#include "openset_report.h"

#include <math.h>

/* The nearest pictures of one part, one line each. */
static void write_probes(FILE *stream, const char *part, const probes *p, const trainer_data *data,
                         const triplet_options *o)
{
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    for (size_t i = 0; i < p->count; i++) {
        const double own = (double)p->own[i], other = (double)p->other[i];
        const double difference = o->distance ? own - other : own * own - other * other;
        fprintf(stream, "%s,%d,\"%s\",\"%s\",%.*g,%.*g,%.*g\n", part, (int)p->row[i],
                lg_dataset_class_name(data->all, (size_t)p->label[i]),
                lg_dataset_class_name(data->all, (size_t)p->nearest[i]), digits, own, digits, other, digits,
                fmax(0, difference + o->margin));
    }
}

lg_status openset_write(run *r, const probes part[2], const trainer_data *data, const triplet_options *options)
{
    run_file file;
    lg_status status = run_file_begin(&file, r, "predictions.csv");
    if (status != LG_OK)
        return status;
    fputs("part,row,identity,nearest,distance_own,distance_other,loss\n", file.stream);
    write_probes(file.stream, "validation", &part[0], data, options);
    write_probes(file.stream, "test", &part[1], data, options);
    return run_file_end(&file);
}

void openset_report(run *r, const probes part[2], double threshold, double false_accepts)
{
    static const char *const names[] = { "validation", "test" };
    openset_rates rates[2];
    char path[128];
    run_note_number(r, "metrics.threshold", threshold);
    for (size_t k = 0; k < 2; k++) {
        rates[k] = probes_rate(&part[k], threshold);
        const struct {
            const char *name;
            double value;
        } numbers[] = { { "rank_1_accuracy", rates[k].rank_1 }, { "identified", rates[k].identified },
                        { "misidentified", rates[k].misidentified }, { "false_rejects", rates[k].false_rejects },
                        { "false_accepts", rates[k].false_accepts } };
        for (size_t i = 0; i < 5; i++) {
            snprintf(path, sizeof path, "metrics.%s.%s", names[k], numbers[i].name);
            run_note_number(r, path, numbers[i].value);
        }
        snprintf(path, sizeof path, "metrics.%s.probes", names[k]);
        run_note_count(r, path, part[k].count);
    }
    printf("\nIdentities that the network has never seen; the threshold, %.4g, lets %.3g%% of the strangers of the "
           "validation part pass\n\n%-26s %10s %10s\n", threshold, 100 * false_accepts, "", names[0], names[1]);
    printf("%-26s %10zu %10zu\n", "identities", part[0].identities, part[1].identities);
    printf("%-26s %10zu %10zu\n", "pictures registered", part[0].registered, part[1].registered);
    printf("%-26s %10zu %10zu\n", "pictures shown", part[0].count, part[1].count);
    printf("%-26s %10.4f %10.4f\n", "rank-1 accuracy", rates[0].rank_1, rates[1].rank_1);
    printf("%-26s %10.4f %10.4f\n", "identified", rates[0].identified, rates[1].identified);
    printf("%-26s %10.4f %10.4f\n", "taken for another", rates[0].misidentified, rates[1].misidentified);
    printf("%-26s %10.4f %10.4f\n", "false rejects", rates[0].false_rejects, rates[1].false_rejects);
    printf("%-26s %10.4f %10.4f\n\n", "false accepts (strangers)", rates[0].false_accepts, rates[1].false_accepts);
}
