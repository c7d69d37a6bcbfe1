#include "atelier/planning/prices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "atelier/base/error.h"
#include "atelier/base/handle.h"
#include "atelier/base/text.h"

namespace atelier::planning {
namespace {

using testing::HasSubstr;

constexpr const char* whole = R"(currency = EUR
cold_start_s = 120   # with the download
billing_step_s=60
[machine.1]
price_per_h = 3.6
[machine.4]
price_per_h = 10
spot_price_per_h = 4.5
spot_evictions_per_h = 0.25
warm_price_per_h = 9
network_gbit_s = 25
)";

std::string refusal(const std::string& text) {
  try {
    parse_prices(text, "prices.cfg");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

std::string with(const std::string& line) {
  return concat("currency = EUR\n[machine.1]\nprice_per_h = 1\n", line, "\n");
}

TEST(Prices, AreRead) {
  const Prices prices = parse_prices(whole, "prices.cfg");
  EXPECT_EQ(prices.currency, "EUR");
  EXPECT_EQ(prices.cold_start_s, 120);
  EXPECT_EQ(prices.billing_step_s, 60);
  EXPECT_EQ(prices.source, "prices.cfg");
  ASSERT_EQ(prices.machines.size(), 2U);
  const MachinePrice& small = prices.machine_for({2, 1});
  EXPECT_EQ(small.price_per_h, 3.6);
  EXPECT_EQ(small.spot_price_per_h, std::nullopt);
  EXPECT_EQ(small.spot_evictions_per_h, 0);
  EXPECT_EQ(small.idle_price_per_h(), 3.6);
  EXPECT_EQ(small.network_gbit_s, std::nullopt);
  const MachinePrice& large = prices.machine_for({2, 4});
  EXPECT_EQ(large.price_per_h, 10);
  EXPECT_EQ(large.spot_price_per_h, 4.5);
  EXPECT_EQ(large.spot_evictions_per_h, 0.25);
  EXPECT_EQ(large.idle_price_per_h(), 9);
  EXPECT_EQ(large.network_gbit_s, 25);
}

TEST(Prices, LineEndsOfWindowsAreRead) {
  EXPECT_EQ(
      parse_prices("currency = EUR\r\n[machine.1]\r\nprice_per_h = 2\r\n", "p").machines.at(1).price_per_h,
      2);
}

TEST(Prices, ChargeWholeSteps) {
  Prices prices = parse_prices(whole, "prices.cfg");
  EXPECT_EQ(prices.billed_s(0), 0);
  EXPECT_EQ(prices.billed_s(0.5), 60);
  EXPECT_EQ(prices.billed_s(60), 60);
  EXPECT_EQ(prices.billed_s(61), 120);
  // 2 machines, 2 minutes, 10 an hour; exact to a rounding of the sum.
  EXPECT_NEAR(prices.cost({2, 4}, 61), 2 * 10 * 2 / 60.0, 1e-12);
  EXPECT_NEAR(prices.cost({2, 4}, 61, 4.5), 2 * 4.5 * 2 / 60.0, 1e-12);
  prices.billing_step_s = 0;
  EXPECT_EQ(prices.billed_s(61), 61);
  prices.billing_step_s = 0.1;
  EXPECT_NEAR(prices.billed_s(0.3), 0.3, 1e-9);  // 0.3 / 0.1 is above 3 in binary
}

TEST(Prices, MissingMachineIsNamed) {
  const Prices prices = parse_prices(whole, "prices.cfg");
  try {
    static_cast<void>(prices.machine_for({3, 2}));
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_STREQ(
        error.what(),
        "'prices.cfg' has no price of a machine with 2 GPUs (layout 3x2 needs one; there are machines "
        "with 1, 4). Add a section [machine.2], or leave the layout out.");
  }
}

TEST(Prices, FaultsAreNamedWithTheirLine) {
  EXPECT_EQ(refusal(with("")), "accepted");
  EXPECT_THAT(refusal(with("price_per_hour = 2")),
              HasSubstr("'prices.cfg', line 4: 'price_per_hour' is unknown (a machine has price_per_h,"));
  EXPECT_THAT(refusal("price_per_h = 2"), HasSubstr("line 1: 'price_per_h' is unknown (before the first"));
  EXPECT_THAT(refusal(with("spot_price_per_h = cheap")),
              HasSubstr("line 4: spot_price_per_h cannot be 'cheap' (it is a number)"));
  EXPECT_THAT(refusal(with("spot_price_per_h = 1.5 EUR")), HasSubstr("cannot be '1.5 EUR' (it is a number)"));
  EXPECT_THAT(refusal(with("spot_price_per_h =")), HasSubstr("cannot be '' (it is a number)"));
  EXPECT_THAT(refusal(with("spot_price_per_h = nan")), HasSubstr("cannot be 'nan' (it is a number)"));
  EXPECT_THAT(refusal(with("spot_price_per_h = -1")), HasSubstr("cannot be -1 (it is not negative)"));
  EXPECT_THAT(refusal(with("network_gbit_s = 0")), HasSubstr("cannot be 0"));
  EXPECT_THAT(refusal(with("price_per_h = 1")), HasSubstr("line 4: sets price_per_h again"));
  EXPECT_THAT(refusal(with("hello")), HasSubstr("line 4: is no setting"));
  EXPECT_THAT(refusal(with("[machine.1]")), HasSubstr("[machine.1] is there twice"));
  EXPECT_THAT(refusal(with("[machine.2]")), HasSubstr("no price of a machine with 2 GPUs"));
  for (const char* section :
       {"[machine]", "[machine.]", "[machine.0]", "[machine.x]", "[machine.1", "[]", "[", "[ machine.4]"})
    EXPECT_THAT(refusal(with(section)), HasSubstr("is no section (a section is [machine.GPUS]")) << section;
  EXPECT_THAT(refusal("currency = EUR\n"), HasSubstr("'prices.cfg' names no machine"));
  EXPECT_THAT(refusal("currency =\n"), HasSubstr("currency is empty"));
  EXPECT_THAT(refusal("[machine.1]\nprice_per_h = 1\n"), HasSubstr("names no currency"));
  EXPECT_THAT(refusal(""), HasSubstr("names no currency"));
}

TEST(Prices, MissingFileIsNamed) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_prices(folder.path() / "none.cfg"), UsageError);
  EXPECT_THROW(read_prices(folder.path()), UsageError);
  const auto path = folder.path() / "prices.cfg";
  std::ofstream(path) << whole;
  EXPECT_EQ(read_prices(path).source, path.string());
}

TEST(Prices, TheExampleIsValid) {
  const Prices prices = read_prices(std::string(ATELIER_SOURCE_DIR) + "/jobs/prices.cfg");
  EXPECT_EQ(prices.machine_for({1, 4}).price_per_h, 16);
}

TEST(Layout, IsReadAndWritten) {
  EXPECT_EQ(parse_layout("2x4"), (Layout{2, 4}));
  EXPECT_EQ(parse_layout("2x4").name(), "2x4");
  EXPECT_EQ(parse_layout("2x4").num_workers(), 8);
  EXPECT_EQ(parse_layouts("1x1,1x4,2x2"), (std::vector<Layout>{{1, 1}, {1, 4}, {2, 2}}));
}

TEST(Layout, NonsenseIsRefused) {
  for (const char* text : {"", "4", "x", "1x", "x4", "0x1", "1x0", "-1x2", "1x2x3", "1 x 2", "1x2 ", "axb",
                           "65x64", "4096x4096", "99999999999x1"})
    EXPECT_THROW(parse_layout(text), UsageError) << text;
  for (const char* text : {"", "1x1,", ",1x1", "1x1,,1x2", "1x1,1x1"})
    EXPECT_THROW(parse_layouts(text), UsageError) << text;
}

}  // namespace
}  // namespace atelier::planning
