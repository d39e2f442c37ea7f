#include "svm_steps.h"

static double curvature(const svm_options *options, const trainer_data *data)
{
    const size_t features = lg_dataset_features(data->all), rows = data->split->train_rows;
    const lg_real *x = lg_dataset_values(data->all, "x");
    double squares = 0, fourths = 0;
    if (options->loss != SVM_SQUARED_HINGE)
        return 0;
    for (size_t i = 0; i < rows; i++) {
        double norm = 1;
        for (size_t k = 0; k < features; k++) {
            const double value = (double)x[data->split->train[i] * features + k];
            norm += value * value;
        }
        squares += norm;
        fourths += norm * norm;
    }
    return 2 * (squares / (double)rows + fourths / squares / (double)options->shared.batch_size);
}

svm_steps svm_steps_of(const svm_options *options, const trainer_data *data, size_t made)
{
    if (options->shared.learning_rate > 0)
        return (svm_steps){ options->shared.learning_rate, lg_schedule_constant() };
    const double lambda = options->lambda, first = 1 / (lambda * (double)(made + 1) + curvature(options, data));
    svm_steps steps = { first, lg_schedule_inverse(lambda * first) };
    steps.schedule.unit = LG_PER_STEP;
    return steps;
}
