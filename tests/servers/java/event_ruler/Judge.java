import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Ruler;

/** Reads a pattern and an event, a line of JSON each, until the input ends; answers true, false or an error each time. */
public final class Judge {
    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String pattern = input.readLine(); pattern != null; pattern = input.readLine()) {
            String event = input.readLine();
            String answer;
            try {
                answer = String.valueOf(Ruler.matchesRule(event, pattern));
            } catch (Exception error) {
                answer = "error " + String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
            }
            output.println(answer);
        }
        output.flush();
    }
}
