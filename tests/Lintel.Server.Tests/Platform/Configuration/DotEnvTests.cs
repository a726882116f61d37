namespace Lintel.Platform.Configuration;

public sealed class DotEnvTests
{
    [Theory]
    [InlineData("KEY=value", "value")]
    [InlineData("  KEY = value  ", "value")]
    [InlineData("export KEY=value", "value")]
    [InlineData("KEY=", "")]
    [InlineData("KEY=a=b=c", "a=b=c")]
    [InlineData("KEY=pass#word", "pass#word")]
    [InlineData("KEY=value # a comment", "value")]
    [InlineData("KEY=# a comment", "")]
    [InlineData("KEY='single $x \\n'", "single $x \\n")]
    [InlineData("KEY='quoted' # a comment", "quoted")]
    [InlineData("KEY=\"two\\nlines \\\"and\\\" quotes\"", "two\nlines \"and\" quotes")]
    [InlineData("KEY=\"\"", "")]
    [InlineData("KEY=\"# no comment\"", "# no comment")]
    [InlineData("KEY=postgresql://u:p%40@h/db?sslmode=require", "postgresql://u:p%40@h/db?sslmode=require")]
    public void A_line_gives_its_value(string line, string value)
    {
        Assert.Equal(value, Assert.Single(DotEnv.Parse([line], ".env")).Value);
    }

    [Fact]
    public void Comments_and_blank_lines_are_nothing_and_the_last_line_wins()
    {
        var settings = DotEnv.Parse(["# KEY=no", "", "   ", "KEY=one", "KEY=two", "Logging__LogLevel__Default=Debug"], ".env");

        Assert.Equal([("KEY", "two"), ("Logging:LogLevel:Default", "Debug")], settings.Select(static entry => (entry.Key, entry.Value)));
    }

    [Fact]
    public void All_bad_lines_are_named_by_number_and_none_is_repeated()
    {
        var failure = Assert.Throws<InvalidSettingsException>(() =>
            DotEnv.Parse(["no equals secret-1", "KEY=good", "=secret-2", "KEY='secret-3", "KEY=\"secret-4", "KEY='a' secret-5", "BAD KEY=secret-6"], "the/.env"));

        Assert.Equal([1, 3, 4, 5, 6, 7], failure.Errors.Select(static error => int.Parse(error.Split(' ')[2])));
        Assert.All(failure.Errors, static error => Assert.StartsWith("the/.env line ", error, StringComparison.Ordinal));
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_gives_nothing()
    {
        Assert.Empty(DotEnv.ReadFile(Path.Combine(Path.GetTempPath(), Guid.CreateVersion7().ToString(), ".env")));
    }
}
