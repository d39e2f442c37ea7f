/* luge: a miniature autograd training framework. This header is all that a program includes; each header below is the
 * manual of its module. */
#ifndef LUGE_H
#define LUGE_H

#include "tensor/base.h"
#include "tensor/random.h"
#include "tensor/tensor.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "autograd/params.h"
#include "autograd/tape.h"
#include "data/csv.h"
#include "data/dataset.h"
#include "data/scaler.h"
#include "data/split.h"
#include "losses/anomaly.h"
#include "losses/boxes.h"
#include "losses/classification.h"
#include "losses/ctc_decode.h"
#include "losses/generative.h"
#include "losses/imbalance.h"
#include "losses/loss.h"
#include "losses/margin.h"
#include "losses/ranking.h"
#include "losses/regression.h"
#include "losses/sequence.h"
#include "models/layers.h"
#include "models/sequential.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "train/batch.h"
#include "train/fit.h"
#include "train/history.h"
#include "train/metrics.h"
#include "train/progress.h"
#include "train/report.h"

#endif
