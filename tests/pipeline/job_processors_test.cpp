#include "job_processors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atelier/base/error.h"

namespace atelier::pipeline {
namespace {

using testing::HasSubstr;

const RankProcessor xeon{"Xeon (AVX512)", "0011", ""};
const RankProcessor epyc{"EPYC (AVX2)", "2233", ""};

std::string refusal(JobProcessors& processors, int rank, const RankProcessor& processor) {
  try {
    processors.add(rank, processor);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

TEST(JobProcessors, ThatMakeTheSameBitsFitWhateverTheirNames) {
  JobProcessors processors(false, "");
  processors.add(1, xeon);
  EXPECT_EQ(refusal(processors, 2, {"Xeon of another year", "0011", ""}), "");
  EXPECT_EQ(processors.kind().name, "Xeon (AVX512), bits 0011");
}

TEST(JobProcessors, ThatMakeOtherBitsAreRefusedByName) {
  JobProcessors processors(false, "");
  processors.add(1, xeon);
  EXPECT_EQ(refusal(processors, 2, epyc),
            "workers run on different hardware (rank 1: Xeon (AVX512), bits 0011; rank 2: EPYC (AVX2), bits "
            "2233) (the frames would depend on who styles them). Use machines of one kind, or give "
            "--allow-mixed.");
}

TEST(JobProcessors, OfEncodersCountOnlyWhereTheirBitsDepend) {
  JobProcessors processors(false, "");
  processors.add(0, {"Xeon (AVX512)", {}, "AVX512"});
  processors.add(1, {"NVIDIA H100", "NVIDIA H100", ""});
  EXPECT_EQ(refusal(processors, 2, {"EPYC (AVX2)", {}, ""}), "");
  EXPECT_THAT(refusal(processors, 3, {"EPYC (AVX2)", {}, "AVX2"}), HasSubstr("depend on who encodes them"));
}

TEST(JobProcessors, OfAMixedJobAreAKindOfTheirOwn) {
  JobProcessors mixed(true, "");
  mixed.add(2, epyc);
  mixed.add(1, xeon);
  JobProcessors mixed_in_another_order(true, "");
  mixed_in_another_order.add(1, xeon);
  mixed_in_another_order.add(2, epyc);
  EXPECT_EQ(mixed.kind(), mixed_in_another_order.kind());
  JobProcessors plain(false, "");
  plain.add(1, xeon);
  EXPECT_NE(mixed.kind().bits, plain.kind().bits);
}

TEST(JobProcessors, CountWhatTheRootMadeOfTheStyle) {
  JobProcessors here(false, "aa");
  JobProcessors elsewhere(false, "bb");
  here.add(1, xeon);
  elsewhere.add(1, xeon);
  EXPECT_NE(here.kind().bits, elsewhere.kind().bits);
}

TEST(JobProcessors, OfAnEngineThatTakesPlanesAreAlike) {
  JobProcessors processors(false, "");
  processors.add(1, {"Xeon (AVX512)", "", ""});
  EXPECT_EQ(refusal(processors, 2, {"EPYC (AVX2)", "", ""}), "");
  EXPECT_EQ(processors.kind().bits, "");
}

}  // namespace
}  // namespace atelier::pipeline
