using System.Globalization;
using System.Text;

namespace Lintel.Platform.Json;

public sealed class JsonNumberTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(-0.0, "0")]
    [InlineData(300, "300")]
    [InlineData(-25, "-25")]
    [InlineData(0.5, "0.5")]
    [InlineData(1092.9903, "1092.99")]
    [InlineData(878.40441234, "878.4044")]
    [InlineData(0.1 + 0.2, "0.3")]
    [InlineData(0.74043081234, "0.7404308")]
    [InlineData(99.999999999, "100")]
    [InlineData(12345678.12345, "12345678.123")]
    [InlineData(0.000123456789012, "0.000123456789")]
    [InlineData(-1.0000004, "-1")]
    public void Number_is_written_without_a_tail(double value, string text) => Assert.Equal(text, Write(value));

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void What_JSON_cannot_say_is_null(double value) => Assert.Equal("null", Write(value));

    [Fact]
    public void Seven_digits_survive_at_every_magnitude()
    {
        var random = new Random(41);

        for (var i = 0; i < 200_000; i++)
        {
            var value = (random.NextDouble() + 0.1) * Math.Pow(10, random.Next(-320, 300)) * (random.Next(2) * 2 - 1);
            var text = Write(value);
            var read = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

            Assert.Equal(value, read, Math.Abs(value) * 5.1e-7);
            Assert.True(text.Length < JsonNumber.MaxLength);
            using var json = System.Text.Json.JsonDocument.Parse(text);
            Assert.Equal(read, json.RootElement.GetDouble());
        }
    }

    private static string Write(double value)
    {
        var buffer = new byte[JsonNumber.MaxLength];
        return Encoding.UTF8.GetString(buffer, 0, JsonNumber.Write(value, buffer));
    }
}
